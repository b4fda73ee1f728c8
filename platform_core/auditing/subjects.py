"""What audits look at: a value in the step that computed it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from platform_core.auditing.context import current_context
from platform_core.catalog.opening import open_catalog
from platform_core.checks.audits.audit import Subject
from platform_core.settings import current_settings
from platform_core.store.store import open_store

if TYPE_CHECKING:
    from platform_core.auditing.guard import Guard

# In the metadata of an asset's definition: the models that are trained on it, or that made it, with commas between.
MODELS = "headrace/models"


def current_subject(
    guard: Guard, key: dg.AssetKey, function: Callable[..., Any], inputs: Mapping[str, Any]
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
    guard: Guard,
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
