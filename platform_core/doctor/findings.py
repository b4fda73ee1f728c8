"""What a look at one part of an installation found."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from platform_core.errors import HeadraceError

State = Literal["fine", "wrong", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A part of the installation, how it is, and in a sentence why, with what mends it.

    Args:
        state: `unknown` counts as neither: it could not be looked at, or is not used.
    """

    part: str
    state: State
    sentence: str


Look = Callable[[], Iterator[Finding]]


def fine(part: str, sentence: str) -> Finding:
    return Finding(part, "fine", sentence)


def wrong(part: str, sentence: str) -> Finding:
    return Finding(part, "wrong", sentence)


def looked_at(part: str, look: Look) -> list[Finding]:
    """What a look found; when it broke off, that it did is the last finding, and other parts are looked at still."""
    found: list[Finding] = []
    try:
        found.extend(look())
    except HeadraceError as error:
        found.append(wrong(part, str(error)))
    except Exception as error:  # whatever a driver or a server comes up with is what the doctor is there to tell
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()
        found.append(wrong(part, f"It cannot be used: {reason[0] if reason else type(error).__name__}"))
    return found
