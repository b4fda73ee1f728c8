"""Blocking checks that a team writes as `@dg.asset_check`, as audits: made in the step of their asset."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, get_type_hints

import dagster as dg

from platform_core.auditing.context import current_context
from platform_core.checks.audits.audit import Judgement, Subject
from platform_core.checks.audits.leakage import as_kind
from platform_core.errors import CheckError
from platform_core.store.tables import is_table, is_table_type, type_of


@dataclass(frozen=True)
class TeamCheck:
    """A function that takes the value of an asset, as an audit of that asset.

    Args:
        value: the parameter that takes what was computed.
        inputs: by parameter the one of the asset's own function that reads the same asset.
        resources: by parameter the location's resource.
    """

    spec: dg.AssetCheckSpec
    function: Callable[..., dg.AssetCheckResult] = field(repr=False)
    value: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def blocking(self) -> bool:
        return self.spec.blocking

    @property
    def description(self) -> str:
        return self.spec.description or ""

    @property
    def metadata(self) -> Mapping[str, Any]:
        return self.spec.metadata or {}

    def judge(self, subject: Subject) -> Judgement:
        with _initialised(self.resources) as resources:
            result = self.function(**self._arguments(subject), **resources)
        if not isinstance(result, dg.AssetCheckResult):
            raise CheckError(f"{self.name} of {subject.asset} returned {result!r} instead of a dg.AssetCheckResult.")
        return Judgement(result.passed, result.description, result.metadata, result.severity)

    def _arguments(self, subject: Subject) -> dict[str, Any]:
        kinds = get_type_hints(self.function)
        given = {self.value: _computed(subject, kinds.get(self.value))}
        for name, parameter in self.inputs.items():
            read = subject.inputs[parameter]
            given[name] = _of_kind(subject.table(parameter), kinds.get(name)) if is_table(read) else read
        others = [name for name in inspect.signature(self.function).parameters if name not in given]
        return given | {name: _context(subject) for name in others if name not in self.resources}


def _computed(subject: Subject, kind: Any) -> Any:
    """What the function of the asset returned, in the type that the check takes it in."""
    if not is_table(subject.value):
        return subject.value
    if type(subject.returned) is kind is type_of("pandas", "DataFrame"):
        return subject.returned.copy()  # with its index; the check may change what it gets, never what is published
    return _of_kind(subject.frame, kind)


def _of_kind(frame: Any, kind: Any) -> Any:
    if kind in (None, Any) or is_table_type(kind):
        return as_kind(frame, kind)
    raise CheckError(f"a table cannot be given as {getattr(kind, '__name__', kind)}; annotate it with a table type")


def _context(subject: Subject) -> Any:
    """What Dagster gives a check: the run's, or one that logs and knows the partition where a stored version is."""
    context = current_context()
    if context is None:
        return dg.build_asset_context(partition_key=next(iter(subject.partitions), None))
    return dg.AssetCheckExecutionContext(context.op_execution_context)


@contextmanager
def _initialised(resources: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if not resources:
        yield {}
        return
    context = current_context()
    with dg.build_resources(resources, instance=context.instance if context else None) as given:
        yield {name: getattr(given, name) for name in resources}
