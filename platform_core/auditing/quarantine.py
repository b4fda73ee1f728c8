"""Rows that break a schema go to a sibling asset, with the reason; the others flow on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dagster as dg
import polars as pl

from platform_core.auditing.context import current_context
from platform_core.catalog.values import SENSITIVE, Provenance, Version
from platform_core.checks.audits.audit import Subject
from platform_core.checks.declared import Declared
from platform_core.checks.rules import REASON, reasons
from platform_core.checks.schema import as_frame, in_type_of
from platform_core.errors import DefinitionError
from platform_core.event_metadata import TRANSACTION
from platform_core.provenance import author, git_commit
from platform_core.settings import current_settings
from platform_core.store.values import Target, write_version
from platform_core.tracking.looking import looking

QUARANTINE = "headrace/quarantine"
SUFFIX = "_quarantine"


@dataclass(frozen=True, slots=True)
class Quarantine:
    """most: the share of rows that may be set aside; with more, none is, and the value does not pass its schema."""

    asset: str
    most: float = 1.0
    partition_by: str | None = None
    sensitive: tuple[str, ...] = ()

    @classmethod
    def of(cls, asset: str, schema: Declared | None, given: bool | float, partition_by: str | None) -> Quarantine:
        if schema is None or schema.by_pandera:
            raise DefinitionError(
                f"{asset} has a quarantine but no schema for polars without coercion or parsers, which could say what"
                " goes there."
            )
        return cls(asset, 1.0 if given is True else float(given), partition_by, schema.sensitive)

    @property
    def sibling(self) -> str:
        return self.asset + SUFFIX

    def metadata(self) -> dict[str, Any]:
        return {QUARANTINE: self.sibling}

    def set_aside(self, value: Any, schema: Declared, subject_of: Callable[[Any], Subject]) -> tuple[Any, str | None]:
        """The value without the rows that break a rule, which are committed to the sibling before; and what was done.

        A run without bad rows leaves an empty sibling, so that it tells what is wrong at present.
        """
        frame = as_frame(dg.AssetKey(self.asset.split("/")), value, schema)
        told = reasons(frame, schema)
        count = told.len() - told.null_count()
        if frame.is_empty() or count / frame.height > self.most:
            return in_type_of(value, frame), None
        if not looking():
            self._keep(frame.with_columns(told).filter(pl.col(REASON).is_not_null()), subject_of(frame))
        if count == 0:
            return in_type_of(value, frame), None
        good = frame.filter(told.is_null())
        return _in_kind(value, good), f"{count:,} of {frame.height:,} rows went to {self.sibling}"

    def _keep(self, bad: pl.DataFrame, subject: Subject) -> None:
        drafts = [
            write_version(subject.store, self._part(bad, partition), self._target(subject, partition))
            for partition in subject.partitions or ("",)
        ]
        versions = subject.catalog.commit(subject.namespace, drafts, message=f"set aside by {self.asset}")
        for version in versions:
            _tell(version)

    def _part(self, bad: pl.DataFrame, partition: str) -> pl.DataFrame:
        if self.partition_by is None or self.partition_by not in bad.columns:
            return bad
        return bad.filter(pl.col(self.partition_by).cast(pl.String) == partition)

    def _target(self, subject: Subject, partition: str) -> Target:
        context = current_context()
        repository = current_settings().repository
        origin = Provenance(
            run_id=context.run.run_id if context else "",
            step=context.op_execution_context.op_handle.name if context else "",
            author=author(),
            git_commit=git_commit(repository),
        )
        said = {SENSITIVE: ",".join(self.sensitive)} if self.sensitive else {}
        return Target(subject.namespace, self.sibling, partition, said, origin)


def _in_kind(value: Any, frame: pl.DataFrame) -> Any:
    from platform_core.checks.audits.leakage import as_kind

    return in_type_of(value, frame) if isinstance(value, pl.LazyFrame) else as_kind(frame, type(value))


def _tell(version: Version) -> None:
    """An event for the sibling in Dagster, which the step does not compute as one of its own."""
    context = current_context()
    if context is not None:
        metadata: dict[str, Any] = {
            "dagster/row_count": version.rows or 0,
            "headrace/version": version.id,
            TRANSACTION: version.transaction,
        }
        key = dg.AssetKey(version.asset.split("/"))
        context.log_event(dg.AssetMaterialization(key, partition=version.partition or None, metadata=metadata))


def quarantines(assets: list[Any]) -> list[dg.AssetSpec]:
    """The siblings that assets write to, as specs for the definitions of their location."""
    return [
        _spec(spec, str(getattr(sibling, "value", sibling)))
        for asset in assets
        for spec in getattr(asset, "specs", ())
        if (sibling := spec.metadata.get(QUARANTINE)) is not None
    ]


def _spec(spec: dg.AssetSpec, sibling: str) -> dg.AssetSpec:
    name = spec.key.to_user_string()
    return dg.AssetSpec(
        dg.AssetKey(sibling.split("/")),
        deps=[spec.key],
        description=f"Rows of {name} that broke its schema, with the reason in the column {REASON}.",
        group_name=spec.group_name,
        owners=spec.owners,
        tags=spec.tags,
        kinds={"quarantine"},
        partitions_def=spec.partitions_def,
    )
