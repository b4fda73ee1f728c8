"""The marker: what an environment says of itself, written into its venv or image when it is complete.

It imports nothing of the platform, because images run it as a script before the platform is in them:
`python marker.py VENV JSON`.
"""

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "headrace-environment.json"
_TOOLS = ("headrace", "pip", "setuptools", "wheel")  # what venvs may hold besides


@dataclass(frozen=True)
class Marker:
    """What is known of a finished environment.

    Args:
        environment: its hash.
        lock: the hash of its lock file.
        python: the exact release of its interpreter.
        packages: their versions by name.
    """

    environment: str
    location: str
    extras: tuple[str, ...]
    lock: str
    python: str
    packages: Mapping[str, str]

    @property
    def label(self) -> str:
        return f"{'+'.join((self.location, *self.extras))} ({self.environment})"


def read_marker(folder: Path) -> Marker | None:
    """The marker of a venv; None when it has none that can be read."""
    try:
        said = json.loads((folder / FILE).read_text())
        return Marker(**{**said, "extras": tuple(said["extras"])})
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError, KeyError):
        return None


def write_marker(folder: Path, environment: str, location: str, extras: tuple[str, ...], lock: str) -> Marker:
    """Marks a venv as complete: at once, and after everything else."""
    marker = Marker(environment, location, tuple(extras), lock, _release(folder), installed(folder))
    scratch = folder / f".{FILE}.{os.getpid()}"
    scratch.write_text(json.dumps(asdict(marker), indent=2) + "\n")
    os.replace(scratch, folder / FILE)
    return marker


def installed(folder: Path) -> dict[str, str]:
    """The versions of the packages in a venv by their names, without tools of the venv itself and the platform."""
    names = (name[: -len(".dist-info")] for name in os.listdir(_site(folder)) if name.endswith(".dist-info"))
    found = (name.partition("-") for name in names)
    return {name: version for each, _, version in sorted(found) if (name := normal(each)) not in _TOOLS}


def normal(name: str) -> str:
    """A name of a package, extra or group in the one spelling of PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _site(folder: Path) -> Path:
    return next((folder / "lib").glob("python3*/site-packages"))


def _release(folder: Path) -> str:
    """The interpreter's release, as the venv has noted it."""
    lines = (line.partition("=") for line in (folder / "pyvenv.cfg").read_text().splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() in ("version_info", "version")), "")


if __name__ == "__main__":
    write_marker(Path(sys.argv[1]), **json.loads(sys.argv[2]))
