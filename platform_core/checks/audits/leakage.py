"""Does a feature know what came later, and does one row alone give the same as the whole batch?"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints

import dagster as dg
import polars as pl
import pyarrow as pa

from platform_core.checks.audits.audit import Judgement, Subject
from platform_core.checks.replay import Difference, EventTime, Replay
from platform_core.errors import CheckError, listed
from platform_core.store.tables import as_polars, type_of

MOST_TOLD = 10


@dataclass(frozen=True, slots=True)
class LeakageAudit:
    """Sampled rows computed again with all inputs cut at the row's own moment."""

    time: EventTime
    blocking: bool = True
    name: str = "leakage"
    description: str = "Sampled rows come out the same when all inputs end at the row's own moment."

    def judge(self, subject: Subject) -> Judgement:
        found = replay_of(subject, self.time).leaks()
        return _judgement(found, subject, "know what came later")


@dataclass(frozen=True, slots=True)
class SkewAudit:
    """Sampled rows computed alone, as in serving."""

    time: EventTime
    blocking: bool = True
    name: str = "skew"
    description: str = "Sampled rows come out the same when each is computed alone, as in serving."

    def judge(self, subject: Subject) -> Judgement:
        found = replay_of(subject, self.time).skews()
        return _judgement(found, subject, "differ when a row is alone")


def replay_of(subject: Subject, time: EventTime) -> Replay:
    """The function of a feature as a replay of it. Refuses functions that read more than assets."""
    if not subject.row_key:
        raise CheckError(f"{subject.asset} has no key to find rows again by; declare unique columns in its schema.")
    others = set(inspect.signature(subject.function).parameters) - set(subject.inputs)
    if others:
        raise CheckError(
            f"{subject.asset} takes {listed(sorted(others))} besides its inputs, so that its rows cannot be computed"
            " again; move the computation to a function of its inputs."
        )
    hints = get_type_hints(subject.function)
    inputs = {name: subject.table(name) for name in subject.inputs}

    def compute(cut: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        return as_polars(subject.function(**{name: as_kind(frame, hints.get(name)) for name, frame in cut.items()}))

    return Replay(compute, inputs, subject.frame, time, subject.row_key)


def as_kind(frame: pl.DataFrame, kind: Any) -> Any:
    """A frame in the type that a parameter is annotated with."""
    if kind is pl.LazyFrame:
        return frame.lazy()
    if kind is pa.Table:
        return frame.to_arrow()
    if kind is pa.RecordBatchReader:
        return frame.to_arrow().to_reader()
    if kind is not None and kind is type_of("pandas", "DataFrame"):
        return frame.to_pandas()
    if kind is not None and kind is type_of("duckdb", "DuckDBPyRelation"):
        import duckdb

        return duckdb.connect().from_arrow(frame.to_arrow())
    return frame


def _judgement(found: Sequence[Difference], subject: Subject, what: str) -> Judgement:
    """Fails when there are differences; `what` says of their columns what is wrong with them."""
    if not found:
        return Judgement(True)
    first, columns = found[0], listed(sorted({item.column for item in found}))
    example = f" (row {'/'.join(map(str, first.row))}: {first.column} is {first.before}, but {first.after} again)"
    lines = [f"| {item.row} | {item.moment} | {item.column} | {item.before} | {item.after} |" for item in found]
    head = ["| row | moment | column | as computed | computed again |", "|---|---|---|---|---|"]
    table = dg.MetadataValue.md("\n".join([*head, *lines[:MOST_TOLD]]))
    return Judgement(False, f"{columns} of {subject.asset} {what}{example}", {"differences": table})
