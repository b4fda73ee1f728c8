"""What every audit is: it looks at one value, before it is published or any time later, and gives a judgement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import dagster as dg
import polars as pl
import pyarrow as pa

from platform_core.errors import CheckError, HeadraceError
from platform_core.namespaces import Namespace
from platform_core.store.store import Store
from platform_core.store.tables import as_polars, is_table

if TYPE_CHECKING:
    from platform_core.catalog.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an audit found. `sentence` names the culprit when it did not pass, or says why nothing was judged.

    severity: of what did not pass; None: an error when the audit blocks, else a warning.
    """

    passed: bool
    sentence: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    severity: dg.AssetCheckSeverity | None = None


@dataclass(frozen=True)
class Subject:
    """The value that is looked at, with what it was computed from and by.

    value: what the function returned, a table as a polars frame. returned: the object that it returned itself.
    partitions: the keys that it holds; empty without partitions. inputs: by parameter, as the function got them.
    models: the models that it serves, or that made it.
    """

    asset: str
    namespace: Namespace
    value: Any
    function: Callable[..., Any]
    catalog: Catalog
    store: Store
    partitions: Sequence[str] = ()
    partition_by: str | None = None
    row_key: Sequence[str] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)
    models: Sequence[str] = ()
    # A transaction, when the value was stored before: what came later is not its history.
    before: int | None = None
    returned: Any = None

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The value as a polars frame."""
        if not is_table(self.value):
            raise CheckError(f"{self.asset} is no table; this check needs one.")
        return as_polars(self.value)

    def table(self, parameter: str) -> pl.DataFrame:
        """What the function read for a parameter, as a polars frame."""
        if parameter not in self.inputs:
            raise CheckError(f"{self.asset} has no parameter {parameter} that names an asset.")
        value = self.inputs[parameter]
        if not is_table(value) or isinstance(value, pa.RecordBatchReader):
            raise CheckError(
                f"{self.asset} reads {parameter} as something that cannot be read twice; use pl.LazyFrame."
            )
        return as_polars(value)


class Audit(Protocol):
    """A check of a value. Its name is what the UI shows; a blocking one that fails keeps the value unpublished."""

    @property
    def name(self) -> str: ...
    @property
    def blocking(self) -> bool: ...
    @property
    def description(self) -> str: ...
    def judge(self, subject: Subject) -> Judgement: ...


def spec_of(audit: Audit, asset: dg.AssetKey) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        audit.name,
        asset=asset,
        blocking=audit.blocking,
        description=audit.description,
        metadata=getattr(audit, "metadata", None),
    )


def result_of(audit: Audit, asset: dg.AssetKey, subject: Subject) -> dg.AssetCheckResult:
    """The judgement as Dagster shows it. An audit that cannot judge has not passed, and says why."""
    judgement = _judged(audit, subject)
    return dg.AssetCheckResult(
        passed=judgement.passed,
        check_name=audit.name,
        asset_key=asset,
        severity=judgement.severity or (dg.AssetCheckSeverity.ERROR if audit.blocking else dg.AssetCheckSeverity.WARN),
        description=judgement.sentence,
        metadata=dict(judgement.metadata),
    )


def _judged(audit: Audit, subject: Subject) -> Judgement:
    try:
        return audit.judge(subject)
    except HeadraceError as error:
        return Judgement(False, str(error))
    except Exception as error:  # the team's own functions run here too
        first = str(error).partition("\n")[0]
        return Judgement(False, f"{audit.name} of {subject.asset} could not be judged: {type(error).__name__}: {first}")
