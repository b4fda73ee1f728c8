"""The images that the engine has: which of them somebody's code asks for, and which may go."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from platform_core.environments.images import names
from platform_core.environments.images.engine import Engine


@dataclass(frozen=True)
class Image:
    """One image that the platform built.

    Args:
        current: whether a location's lock file and code, as they are now, name it.
        used: whether a container was made from it, running or not.
        expires: until when it is kept though nobody asks for it; None: for ever.
    """

    id: str
    name: str
    location: str
    extras: tuple[str, ...]
    environment: str
    commit: str
    namespace: str
    bytes: int
    created: str
    current: bool
    used: bool
    expires: datetime | None

    def may_go(self, now: datetime) -> bool:
        return not self.current and not self.used and self.expires is not None and self.expires < now


def all_images(engine: Engine, current: Collection[str]) -> list[Image]:
    """The images with the platform's labels, the newest first.

    Args:
        current: the names that locations ask for now.
    """
    listed = engine.run(
        *("image", "ls", "--quiet", "--no-trunc", "--filter", f"label={names.ENVIRONMENT}"),
        doing="The images cannot be listed",
    )
    used = _used(engine)
    found = (_image(said, current, used) for said in engine.inspect(sorted(set(listed.split()))))
    return sorted(found, key=lambda image: image.created, reverse=True)


def _used(engine: Engine) -> set[str]:
    """The ids and names of images that containers were made from."""
    ids = engine.run("ps", "--all", "--quiet", "--no-trunc", doing="The containers cannot be listed").split()
    return {said["Image"] for said in engine.inspect(ids, "container")}


def _image(said: dict[str, Any], current: Collection[str], used: Collection[str]) -> Image:
    labels = said["Config"]["Labels"]
    tags = said.get("RepoTags") or []
    name = next((tag for tag in tags if tag.removeprefix("localhost/") in current or tag in current), "")
    expires = labels.get(names.EXPIRES)
    return Image(
        id=said["Id"],
        name=name or (tags[0] if tags else said["Id"][:19]),
        location=labels.get(names.LOCATION, ""),
        extras=tuple(filter(None, labels.get(names.EXTRAS, "").split(","))),
        environment=labels[names.ENVIRONMENT],
        commit=labels.get(names.COMMIT, ""),
        namespace=labels.get(names.NAMESPACE, ""),
        bytes=said.get("Size", 0),
        created=said.get("Created", ""),
        current=bool(name),
        used=bool({said["Id"], said["Id"].removeprefix("sha256:")} & set(used)),
        expires=datetime.fromtimestamp(int(expires), UTC) if expires else None,
    )


def removable(images: Iterable[Image], keep: datetime) -> list[Image]:
    """The images that nobody asks for, uses, or may still want at a moment."""
    return [image for image in images if image.may_go(keep)]


def remove(engine: Engine, image: Image) -> None:
    engine.run("image", "rm", "--force", image.id, doing=f"The image {image.name} cannot be removed")
