"""What steps elsewhere are told by the process that orders them, as finding it out again would take them longer."""

import json
import os

from platform_core.compute.worker import pack, unpack

VARIABLE = "HEADRACE_HANDED_ON"
MOST = 16 * 1024  # characters; an environment has limits, and whoever is not told finds out by itself
_FOUND: dict[str, str] = {}


def hand_on(name: str, text: str) -> None:
    """Keeps a text for the steps that this process orders, by a name that says all that it follows from."""
    _FOUND[name] = text


def handed_on(name: str) -> str | None:
    """What this process was told, if it was."""
    packed = os.environ.get(VARIABLE)
    told: dict[str, str] = json.loads(unpack(packed)) if packed else {}
    return told.get(name)


def variables_of_what_was_found() -> dict[str, str]:
    packed = pack(json.dumps(_FOUND))
    return {VARIABLE: packed} if _FOUND and len(packed) <= MOST else {}
