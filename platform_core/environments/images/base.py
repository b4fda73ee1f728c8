"""The image that images stand on: pulled from a registry, or made from a root file system of this machine."""

import hashlib
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

from platform_core.environments.images.engine import Engine, explained
from platform_core.errors import FrozenError

_NAME = "localhost/headrace-base"
_MEND = "name another one in HEADRACE_IMAGE_BASE, or a root file system: a folder, a .tar of one, or a saved image"


def ready_base(engine: Engine, base: str, say: Callable[[str], None]) -> str:
    """The name of a base that the engine has.

    Args:
        base: an image, or the path of a root file system (a folder, a `.tar` of one, or an image as `docker save`
            writes it).

    Raises:
        FrozenError: it cannot be had.
    """
    path = Path(base).expanduser()
    if path.is_absolute():
        return _made_from(engine, path, say)
    if not engine.has(base):
        say(f"Fetching the base image {base}.")
        engine.run("pull", "--quiet", base, doing=f"The base image {base} cannot be fetched; {_MEND}")
    return base


def _made_from(engine: Engine, path: Path, say: Callable[[str], None]) -> str:
    if not path.exists():
        raise FrozenError(f"The base {path} does not exist; {_MEND}.")
    name = f"{_NAME}:{_state(path)}"
    if not engine.has(name):
        say(f"Making the base image from {path}.")
        if path.is_dir():
            _import_folder(engine, path, name)
        elif _is_saved_image(path):
            _load(engine, path, name)
        else:
            engine.run("import", str(path), name, doing=f"The base {path} cannot be imported")
    return name


def _state(path: Path) -> str:
    """What tells a root file system from what it was before, without reading it."""
    paths = sorted(path.rglob("*")) if path.is_dir() else [path]
    seen = ((str(found), os.lstat(found)) for found in paths)
    text = "\n".join(f"{name}\0{status.st_size}\0{status.st_mtime_ns}" for name, status in seen)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _is_saved_image(path: Path) -> bool:
    try:
        with tarfile.open(path) as archive:
            return any(member.name == "manifest.json" for member in archive)
    except (tarfile.TarError, OSError) as error:
        raise FrozenError(f"The base {path} is no .tar that can be read ({error}); {_MEND}.") from error


def _load(engine: Engine, path: Path, name: str) -> None:
    said = engine.run("load", "--quiet", "--input", str(path), doing=f"The base {path} cannot be loaded")
    loaded = said.strip().rpartition("\n")[2].partition("Loaded image: ")[2] or said.strip().rpartition(": ")[2]
    engine.run("tag", loaded, name, doing=f"The base {path} cannot be named")


def _import_folder(engine: Engine, path: Path, name: str) -> None:
    with subprocess.Popen(["tar", "-C", path, "-c", "."], stdout=subprocess.PIPE) as packed:
        command = [engine.program, "import", "-", name]
        done = subprocess.run(command, stdin=packed.stdout, capture_output=True, text=True, check=False)
    if done.returncode or packed.returncode:
        raise FrozenError(f"The base {path} cannot be imported: {explained(done.stderr)}")
