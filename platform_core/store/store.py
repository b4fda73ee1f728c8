"""The store: files below one root, written once, sealed with size and checksum, verified when read."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import xxhash

from platform_core.catalog.values import StoredFile, Version
from platform_core.errors import CorruptVersionError, SettingsError


class Store(ABC):
    """Where the files of versions lie. Keys are relative, with `/` between folders; codecs only see local folders."""

    @abstractmethod
    def new_folder(self, key: str) -> Path:
        """An empty local folder for the files of a new version. Nobody sees them before the catalog says so."""

    @abstractmethod
    def seal(self, key: str) -> tuple[StoredFile, ...]:
        """Makes the files of a new folder durable and notes what they are. They are never written to again."""

    @abstractmethod
    def discard(self, key: str) -> None:
        """Removes what an interrupted write left behind; never called for what a namespace can still show."""

    @abstractmethod
    def version_folders(self) -> Iterator[tuple[str, datetime]]:
        """The key of every folder that was made for a version, and when something in it was last written."""

    @abstractmethod
    def verified_paths(self, version: Version) -> list[Path]:
        """Local files of a version, each of the committed size and checksum; otherwise an error that names it."""

    @abstractmethod
    def uri(self, key: str) -> str:
        """Where a folder or file lies, for people and other programs."""


@lru_cache(maxsize=8)
def open_store(location: str) -> Store:
    """The store at a location; one per process, so that what was verified once is remembered."""
    from platform_core.store.local import LocalStore

    if "://" in location:
        raise SettingsError(f"HEADRACE_STORE: '{location}' is not supported yet; name a folder.")
    return LocalStore(Path(location))


def content_version(files: Iterable[StoredFile]) -> str:
    """A text that is equal for equal contents, whatever the files are called."""
    return xxhash.xxh3_128_hexdigest("".join(file.checksum for file in files).encode())


def corrupt(version: Version, where: object, what: str) -> CorruptVersionError:
    return CorruptVersionError(
        f"Version {version.label} cannot be read: its file {where} {what}."
        f" Materialise {version.asset} again, or read an older version (`headrace versions {version.asset}`)."
    )
