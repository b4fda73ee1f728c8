"""What a platform team may say of containers: for all steps in the constructor, for some in `Profile.options`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from platform_core.compute.quantities import as_bytes
from platform_core.errors import DefinitionError, did_you_mean, listed

NOBODY = "65534:65534"
_VOLUME_PARTS = (2, 3)


@dataclass(frozen=True)
class Volume:
    """A folder of the engine's machine, or one of the engine's named volumes, and where a step finds it."""

    source: str
    target: str
    read_only: bool = False

    @classmethod
    def parse(cls, text: str) -> "Volume":
        """Reads `host:container[:ro]`.

        Raises:
            DefinitionError: it is of another form.
        """
        parts = text.split(":")
        mode = parts[2] if len(parts) == max(_VOLUME_PARTS) else "rw"
        if len(parts) not in _VOLUME_PARTS or not parts[0] or parts[1][:1] != "/" or mode not in ("ro", "rw"):
            raise DefinitionError(
                f"volumes: '{text}' is not a volume; write host:container or host:container:ro, with an absolute path"
                " in the container."
            )
        return cls(parts[0], parts[1], mode == "ro")

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of the machine, and not a volume that the engine keeps under a name."""
        return self.source.startswith("/")


@dataclass(frozen=True)
class Options:
    """How containers are made.

    Args:
        volumes: `host:container[:ro]`, the folders (or named volumes) that steps see.
        network: the engine's network by name, `host`, or `none`. Empty: the engine's own default.
        extra_hosts: `name:address`, for services that the container's name server does not know.
        user: `uid:gid`. Empty: whoever owns the first folder that steps may write to, else `nobody`.
        platform: such as `linux/amd64`, for engines that can run several.
        tmpfs: `path[:options]`, folders in memory beside `/tmp`; they count towards the memory of the step.
        read_only: whether everything outside volumes and tmpfs is read-only.
        pids: the most processes and threads at once.
        shm: the size of `/dev/shm`. None: half of the step's memory, as Linux itself has it.
        new_privileges: whether programs in the image may get rights that the user has not (`sudo`, setuid).
        capabilities: rights of root that the container keeps, such as `SYS_PTRACE`; otherwise it has none of them.
        security: security options in the engine's words, such as `label=disable` for SELinux.
        userns: the user namespace, such as `keep-id` for Podman without root.
        pull: whether an image that the engine does not have is fetched.
    """

    volumes: tuple[str, ...] = ()
    network: str = ""
    extra_hosts: tuple[str, ...] = ()
    user: str = ""
    platform: str = ""
    tmpfs: tuple[str, ...] = ()
    read_only: bool = True
    pids: int = 4096
    shm: str | int | None = None
    new_privileges: bool = False
    capabilities: tuple[str, ...] = ()
    security: tuple[str, ...] = ()
    userns: str = ""
    pull: bool = True

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if reason := _wrong(field.default, value):
                raise DefinitionError(f"{field.name}={value!r}: {reason}.")
        for text in self.volumes:
            Volume.parse(text)

    @property
    def mounts(self) -> tuple[Volume, ...]:
        return tuple(Volume.parse(text) for text in self.volumes)

    @property
    def run_as(self) -> str:
        """The `uid:gid` of the step's process: what it writes should belong to whom the folder belongs to."""
        folders = sorted((volume for volume in self.mounts if volume.is_folder), key=lambda volume: volume.read_only)
        owners = [_owner(Path(volume.source)) for volume in folders if os.path.exists(volume.source)]
        return self.user or next(iter(owners), NOBODY)

    def changed(self, said: Mapping[str, Any]) -> "Options":
        """These options with what is said, such as `Profile.options`; volumes and hosts come on top.

        Raises:
            DefinitionError: there is no such option, or not with such a value.
        """
        known = [field.name for field in fields(self)]
        for name in said:
            if name not in known:
                raise DefinitionError(
                    f"Containers have no option '{name}'; there are: {listed(known, len(known))}."
                    f"{did_you_mean(name, known)}"
                )
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in said.items()
        }
        own = Options(**values)
        added: dict[str, Any] = {name: getattr(self, name) + getattr(own, name) for name in ("volumes", "extra_hosts")}
        return replace(self, **values | added)


def _owner(path: Path) -> str:
    found = path.stat()
    return f"{found.st_uid}:{found.st_gid}"


def _wrong(default: Any, value: Any) -> str:
    """Why a value cannot stand where this default does; nothing when it can."""
    if isinstance(default, tuple):
        right = isinstance(value, tuple) and all(isinstance(item, str) for item in value)
        return "" if right else "it must be a list of texts"
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "it must be True or False"
    if isinstance(default, str):
        return "" if isinstance(value, str) else "it must be a text"
    if isinstance(default, int):
        return "" if type(value) is int and value > 0 else "it must be a whole number above zero"
    return "" if value is None else _no_size(value)


def _no_size(value: Any) -> str:
    try:
        as_bytes(value)
    except ValueError as error:
        return str(error)
    return ""
