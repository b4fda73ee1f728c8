"""The values that the catalog takes and gives."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from platform_core.namespaces import Namespace

UNPARTITIONED = ""
# In the metadata of a version: the columns, with commas between, that identify a row.
ROW_KEY = "headrace/row_key"

Format = Literal["parquet", "json", "skops", "safetensors", "folder", "pickle"]


def new_version_id(now: datetime | None = None) -> str:
    """An id that sorts by time and reads as one, such as `20261121-001530-7f3a9c1b2d04`."""
    moment = now or datetime.now(UTC)
    return f"{moment:%Y%m%d-%H%M%S}-{secrets.token_hex(6)}"


def is_version_id(text: str) -> bool:
    return re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{12}", text) is not None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of a version: its key within the store, its size in bytes, its checksum (`xxh3:<hex>`).

    `etag` is what an object store called this content when it took it: equal means unchanged, without reading it.
    """

    key: str
    size: int
    checksum: str
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class InputVersion:
    """What a version was computed from: the version that the parameter `name` was read from, and who had shown it."""

    name: str
    asset: str
    partition: str
    version: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a version came from. Empty text means: not known, as for a value written outside a run."""

    run_id: str = ""
    step: str = ""
    author: str = ""
    code_version: str = ""
    git_commit: str = ""
    environment: str = ""
    inputs: tuple[InputVersion, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """One immutable value of an asset, or of one partition of it."""

    id: str
    namespace: str
    asset: str
    partition: str
    format: Format
    files: tuple[StoredFile, ...]
    data_version: str
    rows: int | None = None
    schema: tuple[Column, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    provenance: Provenance = Provenance()
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    transaction: int = 0
    # Known once it is committed: what its namespace had shown of its own until then.
    replaces: str | None = None
    # When `gc` gave its files up. The row stays, because other versions were computed from it.
    forgotten_at: datetime | None = None

    @property
    def bytes(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def label(self) -> str:
        """`asset@id`, with the partition where there is one: how a person names this version."""
        partition = f"[{self.partition}]" if self.partition else ""
        return f"{self.asset}{partition}@{self.id}"


@dataclass(frozen=True, slots=True)
class Shown:
    """A version together with the namespace whose ref shows it: one's own, or the parent's."""

    version: Version
    shown_by: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """One atomic change of a namespace's refs. Numbers grow in the order of commits."""

    number: int
    namespace: str
    kind: str
    author: str
    message: str
    committed_at: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """What a namespace shall show of its own at a place: a version that exists, or nothing (`version` None)."""

    asset: str
    partition: str
    version: str | None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a namespace must show at a place, itself or from its parent, for a change to be valid; None: nothing."""

    namespace: Namespace
    asset: str
    partition: str
    version: str | None


@dataclass(frozen=True, slots=True)
class Ref:
    """What a namespace shows of its own at a place, from a transaction on; no version: nothing."""

    namespace: str
    asset: str
    partition: str
    transaction: int
    version: str | None


@dataclass(frozen=True, slots=True)
class NamespaceRecord:
    """What is known of a namespace. `pin` is the transaction as of which it shows its parent; None: as it is now."""

    name: str
    parent: str | None
    pin: int | None
    owner: str
    created_at: datetime
    closed_at: datetime | None = None
    last_write: datetime | None = None
    # The transaction it was last opened or closed at: what it wrote before does not count.
    since: int = 0
