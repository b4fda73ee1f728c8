"""`@notebook`: a function whose body is a notebook, so that all that can be said of an asset can be said of it."""

import functools
import inspect
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_type_hints

import dagster as dg

from platform_core.catalog.values import REJECTED
from platform_core.errors import DefinitionError
from platform_core.fingerprints import CELLS
from platform_core.notebooks.cells import (
    INPUTS,
    OURS,
    Notebook,
    as_markdown,
    code,
    read_notebook,
    sources,
    with_inputs,
)
from platform_core.notebooks.loading import loading
from platform_core.store.values import Versions
from platform_core.tracking.executed import EXECUTED, FAILED_CELL, hold
from platform_core.tracking.record import retell

LONGEST_REASON = 190  # longer texts are no metadata of a version
PAGE = "headrace/notebook"
SOURCE = "__headrace_notebook__"  # on the function: the file
_CONTEXTS = (dg.AssetExecutionContext, dg.OpExecutionContext)

Function = Callable[..., Any]


def notebook(path: str) -> Callable[[Function], Function]:
    """Puts a notebook in place of a function's body.

        @prediction
        @notebook("delay_report.ipynb")
        def delay_report(delay_predictions: pl.DataFrame, config: Report) -> pl.DataFrame:
            ""\"What the month looks like.""\"

    The notebook finds each input under its name, in the annotated type, and the fields of the config as its
    parameters. What it leaves in the variable `delay_report` is the value of the asset. Without an annotation of what
    is returned, the executed notebook is.

    Args:
        path: counts from the folder of the module.
    """

    def decorate(function: Function) -> Function:
        source = Path(inspect.getfile(function)).parent / path
        content = read_notebook(source)
        hints = get_type_hints(function)
        gives = hints.pop("return", None) not in (None, type(None))

        @functools.wraps(function)
        def executed(*_context: Any, **values: Any) -> dg.Output[Any]:
            return _execute(source, function.__name__, values, hints, gives)

        _announce(executed, function, hints)
        executed.__dict__[CELLS] = sources(content, texts=not gives)
        executed.__dict__[SOURCE] = source
        return executed

    return decorate


def _announce(executed: Function, function: Function, hints: Mapping[str, Any]) -> None:
    """The function takes what the declared one takes, but versions instead of values: its kernel reads them itself."""
    taken = {}
    for name, parameter in inspect.signature(function).parameters.items():
        kind = hints.get(name, Any)
        if _is(kind, dg.ConfigurableResource):
            raise DefinitionError(
                f"{function.__qualname__}: a notebook cannot be given the resource {name}; let another asset take it."
            )
        if not _is(kind, dg.Config, *_CONTEXTS):
            kind = Versions | None if _optional(kind) else Versions
        taken[name] = parameter.replace(annotation=kind)
    executed.__dict__["__signature__"] = inspect.Signature(list(taken.values()))
    executed.__annotations__ = {name: parameter.annotation for name, parameter in taken.items()}


def _is(kind: Any, *classes: type) -> bool:
    return isinstance(kind, type) and issubclass(kind, classes)


def _optional(kind: Any) -> bool:
    return type(None) in getattr(kind, "__args__", ())


def _execute(
    source: Path, name: str, values: Mapping[str, Any], hints: Mapping[str, Any], gives: bool
) -> dg.Output[Any]:
    from platform_core.notebooks.executing import execute, own_folder

    config = next((value for value in values.values() if isinstance(value, dg.Config)), None)
    inputs = {key: value for key, value in values.items() if value is None or isinstance(value, Versions)}
    parameters = _partitions() | ({} if config is None else json.loads(config.model_dump_json()))
    with own_folder() as folder:
        prepared = _prepared(read_notebook(source), inputs, hints, name if gives else "", folder)
        outcome = execute(source.name, prepared, parameters, folder)
    told = hold(source.name, outcome.seconds, json.dumps(outcome.notebook).encode())
    said: dict[str, Any] = {EXECUTED: told, PAGE: dg.MetadataValue.md(as_markdown(outcome.notebook))}
    if outcome.failure is not None:
        failed = {REJECTED: outcome.failure.sentence[:LONGEST_REASON], FAILED_CELL: outcome.failure.cell}
        return dg.Output(outcome.notebook, metadata=said | failed)
    if outcome.record is not None:
        retell(outcome.record)
    return dg.Output(outcome.value if gives else outcome.notebook, metadata=said)


def _prepared(
    content: Notebook, inputs: Mapping[str, Any], hints: Mapping[str, Any], result: str, folder: Path
) -> Notebook:
    begin = "from platform_core.notebooks.inside import begin\n\nbegin()"
    given = f", {result}={result}" if result else ""
    end = f"from platform_core.notebooks.inside import end\n\nend({str(folder)!r}{given})"
    return with_inputs(content, code(begin, OURS), code(end, OURS), code(loading(inputs, hints), INPUTS))


def _partitions() -> dict[str, Any]:
    """What the step computes: `partition_key` where it is one, `partition_keys` always."""
    context = dg.AssetExecutionContext.get()
    if not (context.has_partition_key or context.has_partition_key_range):
        return {}
    keys = list(context.partition_keys)
    return {"partition_keys": keys} | ({"partition_key": keys[0]} if len(keys) == 1 else {})
