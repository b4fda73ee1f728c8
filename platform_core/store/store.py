"""The store: files below one root, written once, sealed with size and checksum, verified when read."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import xxhash

from platform_core.catalog.values import StoredFile, Version
from platform_core.errors import CorruptVersionError


class Store(ABC):
    """Where the files of versions lie. Keys are relative, with `/` between folders; codecs only see local folders."""

    @abstractmethod
    def new_folder(self, key: str) -> Path:
        """An empty local folder for the files of a new version. Nobody sees them before the catalog says so."""

    @abstractmethod
    def seal(self, key: str) -> tuple[StoredFile, ...]:
        """Makes the files of a new folder durable and notes what they are. They are never written to again."""

    @abstractmethod
    def adopt(self, version: Version, key: str) -> tuple[StoredFile, ...]:
        """The files of a version once more, durable, in a new folder, without a byte of them going through here."""

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
    def prove(self, version: Version) -> None:
        """Reads every byte of a version where it lies, whatever copies there are; an error that names what is wrong."""

    @abstractmethod
    def copied_paths(self, version: Version) -> list[Path]:
        """Verified copies of the files of a version, which whoever gets them cannot hurt the version with."""

    def remote(self, version: Version) -> "Remote | None":  # noqa: ARG002
        """How to read parts of files where they lie, proven unchanged; none when `verified_paths` costs nothing."""
        return None

    def contents(self, versions: Sequence[Version]) -> Iterator[bytes] | None:  # noqa: ARG002
        """The verified files of versions, one after the other, out of memory; none when `verified_paths` is quicker."""
        return None

    @abstractmethod
    def uri(self, key: str) -> str:
        """Where a folder or file lies, for people and other programs."""


@dataclass(frozen=True, slots=True)
class Remote:
    """Files of a version in an object store: their addresses, and what a reader needs to get at them."""

    uris: tuple[str, ...]
    options: Mapping[str, str]
    filesystem: Callable[[], Any]


def content_version(files: Iterable[StoredFile]) -> str:
    """A text that is equal for equal contents, whatever the files are called."""
    return xxhash.xxh3_128_hexdigest("".join(file.checksum for file in files).encode())


def corrupt(version: Version, where: object, what: str) -> CorruptVersionError:
    return CorruptVersionError(
        f"Version {version.label} cannot be read: its file {where} {what}."
        f" Materialise {version.asset} again, or read an older version (`headrace versions {version.asset}`)."
    )
