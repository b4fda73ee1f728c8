"""What audits look at: a value in the step that computed it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import dagster as dg

from platform_core.auditing.context import current_context
from platform_core.catalog.opening import open_catalog
from platform_core.checks.audits.audit import Subject
from platform_core.settings import current_settings
from platform_core.store.opening import open_store

# In the metadata of an asset's definition: the models that are trained on it, or that made it, with commas between.
MODELS = "headrace/models"


class Guarded(Protocol):
    """What an asset declares that audits go by."""

    @property
    def asset(self) -> str: ...

    @property
    def partition_by(self) -> str | None: ...

    @property
    def row_key(self) -> tuple[str, ...]: ...


def current_subject(
    guard: Guarded, key: dg.AssetKey, function: Callable[..., Any], inputs: Mapping[str, Any]
) -> Callable[[Any], Subject] | None:
    """Makes a value what audits look at, in the step that runs at present; None where there is none."""
    context = current_context()
    if context is None:
        return None
    metadata = context.assets_def.metadata_by_key.get(key, {})
    partitioned = context.has_partition_key or context.has_partition_key_range
    partitions = tuple(context.partition_keys) if partitioned else ()
    return subject_of(guard, function, inputs=inputs, partitions=partitions, models=models_in(metadata))


def models_in(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    named = getattr(metadata.get(MODELS), "value", metadata.get(MODELS))
    return tuple(named.split(",")) if named else ()


def subject_of(
    guard: Guarded,
    function: Callable[..., Any],
    *,
    inputs: Mapping[str, Any],
    partitions: Sequence[str],
    models: Sequence[str] = (),
    before: int | None = None,
) -> Callable[[Any], Subject]:
    settings = current_settings()

    def make(value: Any) -> Subject:
        return Subject(
            guard.asset,
            settings.writes_to,
            value,
            function,
            open_catalog(settings.catalog),
            open_store(settings.store),
            partitions=partitions,
            partition_by=guard.partition_by,
            row_key=guard.row_key,
            inputs=inputs,
            models=models,
            before=before,
        )

    return make
