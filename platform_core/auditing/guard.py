"""The checks that an asset declares, looked at before its value is published: all of them, in the asset's own step."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import dagster as dg

from platform_core.auditing.logged import called
from platform_core.auditing.quarantine import Quarantine
from platform_core.auditing.returned import is_rejected, results_of, value_of, with_value
from platform_core.auditing.subjects import current_subject
from platform_core.catalog.values import BYTES_IN_MEMORY, REJECTED, ROW_KEY, SENSITIVE
from platform_core.checks.audits.audit import Audit, Subject, result_of, spec_of
from platform_core.checks.audits.leakage import LeakageAudit, SkewAudit
from platform_core.checks.audits.volume import VolumeAudit, measures
from platform_core.checks.declared import Declared, declared
from platform_core.checks.replay import EventTime
from platform_core.checks.schema import check_schema, in_type_of, schema_specs, table_schema
from platform_core.errors import CheckError, DefinitionError, listed
from platform_core.io_manager import sentences
from platform_core.settings import current_settings
from platform_core.store.opening import open_store
from platform_core.store.tables import as_polars, is_table
from platform_core.store.values import Versions, read_versions
from platform_core.tracking.kept import CHECKS
from platform_core.tracking.looking import part

LONGEST_TABLE = 4_000
LONGEST_REASON = 190  # longer texts are no metadata of a version
AUDITS = "headrace/audits"


@dataclass(frozen=True)
class Guard:
    """What an asset declares about its values. `own`: the blocking checks whose results the function itself gives.

    keeps_checks: versions say of themselves what the checks found, as those of models do for their card.
    """

    asset: str
    schema: Declared | None = None
    audits: tuple[Audit, ...] = ()
    quarantine: Quarantine | None = None
    partition_by: str | None = None
    own: frozenset[str] = frozenset()
    keeps_checks: bool = False

    @property
    def guards(self) -> bool:
        return self.schema is not None or bool(self.audits) or bool(self.own)

    @property
    def row_key(self) -> tuple[str, ...]:
        return self.schema.row_key if self.schema else ()

    def specs(self, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
        """The checks that the asset's step makes."""
        return [*(schema_specs(key, self.schema) if self.schema else ()), *(spec_of(item, key) for item in self.audits)]

    def metadata(self) -> dict[str, Any]:
        """What the asset's definition tells of it: the columns, the key of a row, and where bad rows go."""
        told: dict[str, Any] = {}
        if self.schema is not None:
            told["dagster/column_schema"] = table_schema(self.schema)
        if self.row_key:
            told[ROW_KEY] = ",".join(self.row_key)
        if self.schema is not None and self.schema.sensitive:
            told[SENSITIVE] = ",".join(self.schema.sensitive)
        return told | (self.quarantine.metadata() if self.quarantine else {})

    def around(self, function: Callable[..., Any], key: dg.AssetKey, inputs: Sequence[str]) -> Callable[..., Any]:
        """The function with its value looked at before it is published.

        What does not pass a blocking check is handed on as rejected: it is kept, and nobody's current version.
        """

        @functools.wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Iterator[Any]:
            with sentences():
                returned = called(function, *args, **kwargs)
            if is_rejected(returned):  # there is nothing to look at
                yield returned
                return
            with sentences():
                subject = current_subject(self, key, function, self._looked_up(inputs, kwargs))
                with part("checks"):
                    value, results, metadata = self.look(key, value_of(returned), subject)
                own = self._own(returned)
            if self.keeps_checks:
                metadata = {**metadata, CHECKS: dg.MetadataValue.json([_kept(item) for item in (*own, *results)])}
            if failed := [*(item for item in own if self._fails(item)), *blocking_failures(results)]:
                yield from (*own, *results)
                reason = rejection_of(self.asset, failed)[:LONGEST_REASON]
                yield with_value(returned, value, metadata | {REJECTED: reason}, results=())
            else:
                yield with_value(returned, value, metadata)
                yield from results

        guarded.__dict__[GUARD] = self
        return guarded

    def _looked_up(self, inputs: Sequence[str], values: Mapping[str, Any]) -> dict[str, Any]:
        """What was read, for audits that need it, also where the function took it unread."""
        return {name: _read(values[name]) if self.audits else values[name] for name in inputs if name in values}

    def _own(self, returned: Any) -> list[dg.AssetCheckResult]:
        own = results_of(returned)
        if len(self.own) == 1:  # as in Dagster, the only check needs not be named
            own = [item._replace(check_name=item.check_name or next(iter(self.own))) for item in own]
        if forgotten := sorted(self.own.difference(item.check_name for item in own)):
            raise CheckError(
                f"{self.asset} was not published: its function said nothing of {listed(forgotten)};"
                " give dg.MaterializeResult(value=..., check_results=[...])."
            )
        return own

    def _fails(self, result: dg.AssetCheckResult) -> bool:
        return result.check_name in self.own and bool(blocking_failures([result]))

    def look(
        self, key: dg.AssetKey, value: Any, subject_of: Callable[[Any], Subject] | None
    ) -> tuple[Any, list[dg.AssetCheckResult], dict[str, Any]]:
        """The value to publish, what was found, and what its versions shall say of themselves.

        Args:
            subject_of: makes a value what audits look at; None outside a run, where only the schema is checked.
        """
        results: list[dg.AssetCheckResult] = []
        note = None
        if self.quarantine and self.schema and subject_of:
            value, note = self.quarantine.set_aside(value, self.schema, subject_of)
        if self.schema is not None:
            value, results = check_schema(key, value, self.schema)
            results = [*_noted(results[:1], note), *results[1:]]
        if subject_of is None:
            return value, [*results, *(_not_judged(item, key) for item in self.audits)], {}
        if not self.audits:
            return value, results, {}
        # Audits look at a frame of their own: a stream that they read would be empty when it is written.
        looked_at = as_polars(value) if is_table(value) else value
        value = in_type_of(value, looked_at)
        subject = replace(subject_of(looked_at), returned=value)
        return value, [*results, *(result_of(item, key, subject) for item in self.audits)], self._sizes(subject)

    def _sizes(self, subject: Subject) -> dict[str, Any]:
        if not (is_table(subject.value) and any(isinstance(item, VolumeAudit) for item in self.audits)):
            return {}
        sizes = {partition: size for partition, (_, size) in measures(subject).items()}
        return {BYTES_IN_MEMORY: dg.MetadataValue.json(sizes)}


def _read(value: Any) -> Any:
    return read_versions(open_store(current_settings().store), value) if isinstance(value, Versions) else value


def _kept(result: dg.AssetCheckResult) -> dict[str, Any]:
    """What is kept with a version of what a check found, tables among it."""
    tables = [item.value for item in result.metadata.values() if isinstance(item, dg.MarkdownMetadataValue)]
    return {
        "check": result.check_name,
        "passed": result.passed,
        "severity": result.severity.value,
        "description": result.description or "",
        "tables": [text for text in tables if text.startswith("|") and len(text) < LONGEST_TABLE],
    }


GUARD = "__headrace_guard__"


def guard_of(
    asset: dg.AssetKey,
    *,
    schema: Any = None,
    checks: Sequence[Audit] = (),
    event_time: EventTime | str | None = None,
    quarantine: bool | float = False,
    partition_by: str | None = None,
    own: Sequence[dg.AssetCheckSpec] = (),
) -> Guard:
    """What the arguments of a layer's decorator come to.

    Raises:
        DefinitionError: two checks have one name, or a quarantine has no schema that could fill it.
    """
    name = asset.to_user_string()
    known = None if schema is None else declared(schema)
    audits = (*_replays(event_time), *checks)
    rules = [] if known is None else [rule.name for rule in known.rules]
    names = [*rules, *(audit.name for audit in audits), *(spec.name for spec in own)]
    if twice := sorted({item for item in names if names.count(item) > 1}):
        raise DefinitionError(f"{name} has more than one check {listed(twice)}; give the others a name of their own.")
    aside = Quarantine.of(name, known, quarantine, partition_by) if quarantine is not False else None
    return Guard(name, known, audits, aside, partition_by, frozenset(spec.name for spec in own if spec.blocking))


def _replays(event_time: EventTime | str | None) -> tuple[Audit, ...]:
    if event_time is None:
        return ()
    time = EventTime(event_time) if isinstance(event_time, str) else event_time
    return (LeakageAudit(time), SkewAudit(time))


def _not_judged(audit: Audit, key: dg.AssetKey) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=True, check_name=audit.name, asset_key=key, description="Not judged: this is no run of the asset."
    )


def blocking_failures(results: Sequence[dg.AssetCheckResult]) -> list[dg.AssetCheckResult]:
    """Of an asset's own checks those that block have the severity ERROR."""
    return [item for item in results if not item.passed and item.severity == dg.AssetCheckSeverity.ERROR]


def rejection_of(asset: str, failed: Sequence[dg.AssetCheckResult]) -> str:
    """Why a value is not published, as one sentence."""
    told = listed([item.description or str(item.check_name) for item in failed], most=3)
    return f"{asset} was not published: {told}"


def _noted(results: Sequence[dg.AssetCheckResult], note: str | None) -> list[dg.AssetCheckResult]:
    if note is None:
        return list(results)
    return [item._replace(description="; ".join(filter(None, (item.description, note)))) for item in results]
