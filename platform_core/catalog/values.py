"""The values that the catalog takes and gives."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from platform_core.catalog.pages import as_page
from platform_core.namespaces import Namespace

UNPARTITIONED = ""
# In the metadata of a version: the columns, with commas between, that identify a row.
ROW_KEY = "headrace/row_key"

# In the metadata of a version: the columns, with commas between, whose values nobody but its readers is shown.
SENSITIVE = "headrace/sensitive"

# In the metadata of a version: what its table took in memory. Its files tell less: they are compressed.
BYTES_IN_MEMORY = "headrace/bytes_in_memory"
# In the metadata of a version: the time that its step took until it was written, in seconds, and what that cost by the
# price of its profile. Of a step that wrote several partitions, each has an equal share.
SECONDS, COST = "headrace/seconds", "headrace/cost"
# In the metadata of a version: the id of the branch's version that it was until it was promoted.
PROMOTED_FROM = "headrace/promoted_from"
# In the metadata of a version that was never shown: the sentence with which its checks refused it.
REJECTED = "headrace/rejected"
# In the metadata of a version that was tried and kept, and is nobody's current one: of what it was a trial.
TRIAL = "headrace/trial"
# In the metadata of a version that is a trial of a sweep: the id of the sweep, and which of its trials it is.
SWEEP, NUMBER = "headrace/sweep", "headrace/trial_number"

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
    # What it was computed with, as its config says or as it logged: numbers and texts by name.
    parameters: Mapping[str, Any] = field(default_factory=dict)


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
    # Pictures that were drawn while it was computed: files beside the value's own.
    figures: tuple[StoredFile, ...] = ()
    # Known once it is committed: what its namespace had shown of its own until then.
    replaces: str | None = None
    # When `gc` gave its files up. The row stays, because other versions were computed from it.
    forgotten_at: datetime | None = None

    @property
    def bytes(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def all_files(self) -> tuple[StoredFile, ...]:
        """The files of the value and those of its figures."""
        return (*self.files, *self.figures)

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers that were told of it, without the platform's own."""
        return {
            name: value
            for name, value in self.metadata.items()
            if isinstance(value, int | float) and not isinstance(value, bool) and not name.startswith("headrace/")
        }

    @property
    def told(self) -> dict[str, Any]:
        """The numbers and texts of its metadata."""
        return {name: value for name, value in self.metadata.items() if not isinstance(value, list | dict)}

    @property
    def rejected(self) -> str | None:
        """Why its checks kept it from being shown; None for a version that was, or could be, published."""
        return self.metadata.get(REJECTED)

    @property
    def sensitive(self) -> frozenset[str]:
        """The columns whose values appear in no sample, statistic or picture."""
        declared = str(self.metadata.get(SENSITIVE, ""))
        return frozenset(declared.split(",")) if declared else frozenset()

    @property
    def label(self) -> str:
        """`asset@id`, with the partition where there is one: how a person names this version."""
        partition = f"[{self.partition}]" if self.partition else ""
        return f"{self.asset}{partition}@{self.id}"

    @property
    def summary(self) -> dict[str, Any]:
        """What a notebook shows of it."""
        origin = self.provenance
        own = {
            "written": f"{self.created_at:%Y-%m-%d %H:%M} UTC to {self.namespace}",
            "by": origin.author,
            "refused": self.rejected,
            "rows": None if self.rows is None else f"{self.rows:,}",
            "columns": ", ".join(f"{column.name} {column.type}" for column in self.schema),
            "bytes": f"{self.bytes:,}",
            "format": self.format,
            "code": f"{origin.code_version} {origin.git_commit}".strip(),
            "environment": origin.environment,
            "computed from": ", ".join(f"{item.asset}@{item.version}" for item in origin.inputs),
        }
        return own | dict(origin.parameters) | self.metrics

    def _repr_html_(self) -> str:
        return as_page(self.label, self.summary)


@dataclass(frozen=True, slots=True)
class Shown:
    """A version together with the namespace whose ref shows it: one's own, or the parent's."""

    version: Version
    shown_by: str


@dataclass(frozen=True, slots=True)
class AsOf:
    """What a reader takes notice of: transactions up to a number, and what one run itself has written since."""

    transaction: int
    run: str = ""


@dataclass(frozen=True, slots=True)
class Total:
    """How much a namespace shows of an asset, of its own or of its parent's. `rows` is None of objects."""

    asset: str
    shown_by: str
    partitions: int
    rows: int | None
    bytes: int
    last_written: datetime


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
class AliasMove:
    """What a name shall mean in a namespace: a version of an asset, or nothing of its own (`version` None)."""

    asset: str
    name: str
    version: str | None


@dataclass(frozen=True, slots=True)
class Alias:
    """What a name of a version means, or meant from a transaction on: who said so, when and why."""

    asset: str
    name: str
    version: str | None
    shown_by: str
    transaction: int
    author: str
    at: datetime
    why: str


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
