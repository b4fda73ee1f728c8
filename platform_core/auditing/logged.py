"""What a function logged, as metadata of what it returned: so that it goes wherever the value goes."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg

from platform_core.auditing.context import current_context
from platform_core.auditing.returned import value_of, with_value
from platform_core.store.figures import as_markdown
from platform_core.tracking.kept import PARAMETERS, SERIES
from platform_core.tracking.looking import part
from platform_core.tracking.record import Record, recording


def called(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a function returns; with metadata, when it logged something."""
    with recording() as record, part("function"):
        returned = function(*args, **kwargs)
    return returned if record.is_empty else with_value(returned, value_of(returned), metadata_of(record))


def called_plainly(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a function returns as it is: in a step, Dagster is told what it logged. It takes no metadata with a value
    whose type is annotated."""
    with recording() as record, part("function"):
        returned = function(*args, **kwargs)
    if record.is_empty:
        return returned
    if isinstance(returned, dg.Output | dg.MaterializeResult):
        return with_value(returned, value_of(returned), metadata_of(record))
    if (context := current_context()) is not None:
        context.add_output_metadata(metadata_of(record))
    return returned


def logging_generator(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that yields its value itself, which then says what was logged until then."""

    @functools.wraps(function)
    def told(*args: Any, **kwargs: Any) -> Iterator[Any]:
        with recording() as record:
            for item in function(*args, **kwargs):
                is_value = isinstance(item, dg.Output | dg.MaterializeResult) and not record.is_empty
                yield with_value(item, value_of(item), metadata_of(record)) if is_value else item

    return told


def metadata_of(record: Record) -> dict[str, Any]:
    told: dict[str, Any] = dict(record.metrics)
    if record.parameters:
        told[PARAMETERS] = dg.MetadataValue.json(dict(record.parameters))
    if record.series:
        told[SERIES] = dg.MetadataValue.json({name: list(map(list, points)) for name, points in record.series.items()})
    return told | {name: dg.MetadataValue.md(as_markdown(name, drawn)) for name, drawn in record.figures.items()}
