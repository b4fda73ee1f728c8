"""uv as a program: where it is, and its failures as sentences."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from platform_core.errors import FrozenError
from platform_core.settings import current_settings

# Variables that would make uv install elsewhere than it is told.
_MISLEADING = ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "UV_PROJECT", "UV_EXTRA", "UV_NO_DEV", "UV_FROZEN")
_MOST_PARTS = 4
_FRAME = " ×│╰├─▶"
_BEGINS = re.compile(r"\s*(error|cause|hint|E|Caused by):\s*|\s*[×╰├]─?▶?\s*")


def find_uv() -> Path:
    """The uv of this repository, or else the one on PATH.

    Raises:
        FrozenError: there is none.
    """
    settings = current_settings()
    for path in (settings.repository / ".headrace/bin/uv", settings.home / "bin/uv"):
        if path.exists():
            return path
    if found := shutil.which("uv"):
        return Path(found)
    raise FrozenError("uv, which makes environments, is not here; `make install` brings it.")


def run_uv(*arguments: str, doing: str, variables: Mapping[str, str] | None = None) -> str:
    """What uv prints.

    Args:
        doing: what fails when uv does, as the beginning of a sentence: `The environment of flights cannot be made`.

    Raises:
        FrozenError: uv failed, with its own reason.
    """
    return _run(arguments, doing, variables or {}).stdout


def run_uv_telling(*arguments: str, doing: str) -> str:
    """What uv says besides, such as its warnings; the rest as `run_uv`. An index that is away is not waited for."""
    return _run(arguments, doing, {"UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "10"}).stderr


def _run(arguments: Sequence[str], doing: str, variables: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if name not in _MISLEADING}
    done = subprocess.run(
        [find_uv(), *arguments],
        env={**environment, "UV_NO_PROGRESS": "1", "NO_COLOR": "1", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise FrozenError(f"{doing}. uv says: {reason_in(done.stderr)}")
    return done


def reason_in(text: str) -> str:
    """What uv's complaint comes to, in one line: errors, causes and hints without marks and frames."""
    parts: list[str] = []
    for line in text.splitlines():
        if found := _BEGINS.match(line):
            parts.append(line[found.end() :].strip())
        elif parts and line.strip(_FRAME):
            parts[-1] += f" {line.strip(_FRAME)}"
    told = [part.rstrip(".:") for part in parts if part][:_MOST_PARTS]
    return ". ".join(told or [text.strip().rpartition("\n")[2] or "nothing"]) + "."
