"""A look at what an asset would become: nothing is written, and each part of it is measured."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# On a function that computes several assets: it looks at one of them itself when somebody does. What it is there, loads
# what it needs for this into the process.
LOOKS = "__headrace_looks__"
_STATUS, _PEAK_AGAIN = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a look: seconds, and how many bytes this process held at most beyond what it held before."""

    name: str
    seconds: float
    memory: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a function that computes several assets, and therefore looks at one of them itself.

    Args:
        instead: by asset the ids of the versions that are read in place of what the namespace shows.
        parameters: by name, as a person writes them.
        keep: whether the value becomes a version, which is not the current one.
    """

    instead: Mapping[str, Sequence[str]] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What such a function found.

    Args:
        read: the id of each version that was read, and the namespace that shows it.
        kept: the ids of the versions that it kept.
    """

    value: Any
    read: Sequence[tuple[str, str]]
    kept: Sequence[str]
    rejected: str


@dataclass
class Look:
    asked: Asked = Asked()
    parts: list[Part] = field(default_factory=list)
    found: Found | None = None


_looks: list[Look] = []


@contextmanager
def look(asked: Asked | None = None) -> Iterator[Look]:
    """Until it ends, whatever asks `looking` writes nothing beside the value."""
    found = Look(asked or Asked())
    _looks.append(found)
    try:
        yield found
    finally:
        _looks.remove(found)


def looking() -> bool:
    return bool(_looks)


def present_look() -> Look | None:
    return _looks[-1] if _looks else None


@contextmanager
def part(name: str) -> Iterator[None]:
    """Measures what is inside, when somebody looks."""
    if not _looks:
        yield
        return
    before, started = _memory("VmRSS:"), time.perf_counter()
    with suppress(OSError):
        _PEAK_AGAIN.write_text("5")
    try:
        yield
    finally:
        peak, seconds = _memory("VmHWM:"), time.perf_counter() - started
        grown = None if before is None or peak is None else max(peak - before, 0)
        _looks[-1].parts.append(Part(name, seconds, grown))


def _memory(field: str) -> int | None:
    """Bytes by the kernel's book; None where it keeps none."""
    with suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024
    return None
