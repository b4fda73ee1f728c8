"""`python -m platform_core.environments.images.inside`: what an image is like from within, for `image verify`."""

import json
import os
import shutil
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from platform_core.environments.marker import installed, read_marker
from platform_core.provenance import BUILT_FROM

# What makes things, which a finished image has no use for and an intruder has.
_BUILD_TOOLS = ("uv", "gcc", "g++", "cc", "make", "cargo")


def main() -> None:
    sys.stdout.write(json.dumps(report(Path(sys.prefix), Path.cwd())) + "\n")


def report(venv: Path, repository: Path) -> dict[str, Any]:
    """The user, the marker with what is really installed, the code, tools that build, and whether definitions load."""
    marker = read_marker(venv)
    return {
        "user": os.getuid(),
        "marker": asdict(marker) if marker else None,
        "installed": installed(venv),
        "code": _code(repository),
        "tools": [name for name in _BUILD_TOOLS if shutil.which(name)],
        "loading": _why_not_loading(marker.location) if marker else "",
    }


def _code(repository: Path) -> str:
    try:
        return str(json.loads((repository / BUILT_FROM).read_text())["code"])
    except (FileNotFoundError, ValueError, KeyError):
        return ""


def _why_not_loading(location: str) -> str:
    """What a location's definitions fail with; nothing when they load."""
    from platform_core.locations import find_location

    try:
        import_module(find_location(location).module)
    except Exception as error:  # a team's own code may raise anything
        return f"{type(error).__name__}: {error}"
    return ""


if __name__ == "__main__":
    main()
