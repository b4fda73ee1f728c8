"""What was built under each name: noted by whoever builds, so that production runs that and nothing else."""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from platform_core.environments.images.engine import Engine
from platform_core.environments.images.names import image_settings, planned_image
from platform_core.errors import FrozenError
from platform_core.settings import current_settings


@dataclass(frozen=True)
class Digest:
    """What tells one build from every other one.

    Args:
        content: the engine's own `sha256:…`, which means something where it was built.
        registry: `name@sha256:…`, by which everybody else fetches it; empty before it was pushed.
    """

    content: str
    registry: str = ""


def image_to_run(location: str, extras: Iterable[str]) -> tuple[str, str]:
    """The image of a location's environment, and what a step's process in it is told to find.

    In production it is named by what was built: a registry's digest, or else the content that the engine here has.

    Raises:
        FrozenError: the location has no such environment, or nobody noted what was built in production.
    """
    image, plan = planned_image(location, extras)
    if not current_settings().writes_to.is_production:
        return image, plan
    known = digest_of(image)
    if known is None:
        raise FrozenError(
            f"Production runs images by the digest of their build, and {notes()} has none of {image}: build it with"
            f" headrace image build {location}, or name the file of whoever built it in HEADRACE_IMAGE_DIGESTS."
        )
    return known.registry or known.content, plan


def notes() -> Path:
    """The file in which builds are noted."""
    return image_settings().image_digests or current_settings().home / "images.json"


def digest_of(image: str) -> Digest | None:
    """What was built under a name; None where nobody noted it."""
    said = _read(notes()).get(image)
    return Digest(**said) if said else None


def noted() -> dict[str, dict[str, str]]:
    """All that was noted, by the names of images."""
    return _read(notes())


def note(image: str, digest: Digest) -> None:
    """Notes what was built under a name, in the place of what was before."""
    path = notes()
    with _alone(path):
        scratch = path.with_name(f".{path.name}.{os.getpid()}")
        scratch.write_text(json.dumps(_read(path) | {image: asdict(digest)}, indent=1, sort_keys=True) + "\n")
        os.replace(scratch, path)


def content_of(engine: Engine, image: str) -> str:
    """What an image is to its engine, as `sha256:…`."""
    return f"sha256:{engine.inspect([image])[0]['Id'].removeprefix('sha256:')}"


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        return dict(json.loads(path.read_text()))
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError) as error:
        raise FrozenError(f"{path}, in which builds of images are noted, cannot be read: {error}.") from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name(f".{path.name}.lock"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
