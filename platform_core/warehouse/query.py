"""A query on its way to an engine, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from platform_core.catalog.values import InputVersion, Shown, Version
from platform_core.errors import WarehouseError

# `?` takes values in their order, `$name` by name. They are handed to the engine as values, never put into the text.
Parameters = Sequence[Any] | Mapping[str, Any] | None
LONGEST_SQL = 80


@dataclass(frozen=True, slots=True)
class TableName:
    """A table as a query names it, and the line in which it does."""

    parts: tuple[str, ...]
    line: int | None = None

    @property
    def text(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class BoundTable:
    """A name in a query with the asset that it means, and what the namespace shows of that."""

    name: TableName
    asset: str
    shown: tuple[Shown, ...]

    @property
    def versions(self) -> list[Version]:
        return [item.version for item in self.shown]

    @property
    def inputs(self) -> list[InputVersion]:
        return [
            InputVersion(self.name.text, self.asset, s.version.partition, s.version.id, s.shown_by) for s in self.shown
        ]


@dataclass(frozen=True)
class Query:
    """One SELECT with everything that it needs.

    Args:
        timeout: seconds after which the engine is told to stop.
        asked_from: the file and line that asks, for errors.
    """

    sql: str
    parameters: Parameters
    tables: tuple[BoundTable, ...]
    timeout: float
    asked_from: str = ""

    @property
    def inputs(self) -> tuple[InputVersion, ...]:
        return tuple(item for table in self.tables for item in table.inputs)

    @property
    def title(self) -> str:
        return title_of(self.sql)

    def refused(self, reason: str) -> WarehouseError:
        return WarehouseError(f"{self.asked_from}: {reason}")

    def too_late(self) -> WarehouseError:
        return self.refused(
            f"the query was stopped after {self.timeout:g} s: {self.title}"
            " -- read fewer columns or partitions, or give it more time with timeout=..."
        )


def title_of(sql: str) -> str:
    """A query in so many words as fit on a line."""
    line = " ".join(sql.split())
    return line if len(line) <= LONGEST_SQL else f"{line[: LONGEST_SQL - 1]}…"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a query took: seconds on the clock, and bytes that the engine read of tables."""

    seconds: float
    bytes_scanned: int
