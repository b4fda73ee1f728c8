"""A notebook to work at an asset in: its inputs loaded, and what computes it as cells that can be changed."""

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Any, get_type_hints

import dagster as dg

from platform_core.auditing.functions import function_of
from platform_core.auditing.specs import read_by
from platform_core.catalog.values import Version
from platform_core.errors import NotFoundError
from platform_core.layers import CONTEXT_NAMES
from platform_core.notebooks.cells import INPUTS, PARAMETERS, Cell, code, new_notebook, read_notebook, tags_of, text
from platform_core.notebooks.declaring import SOURCE
from platform_core.notebooks.loading import loading
from platform_core.orchestrator.partitions import partition_tags
from platform_core.orchestrator.steps import replaced_function
from platform_core.runner.loading import LoadedLocation
from platform_core.runner.tried import LookingIOManager
from platform_core.runner.trying import key_of, partitions_of
from platform_core.trials.subject import (
    QUIET,
    config_of,
    declared,
    failure_of,
    instance_in_memory,
    require_function,
)


def notebook_of(location: LoadedLocation, asset: str, partition: str) -> dict[str, Any]:
    """A notebook with the inputs of an asset, as versions that the namespace shows, and with its code.

    Raises:
        HeadraceError: there is no such asset or partition, or what it reads is not there.
    """
    key = key_of(location, asset)
    made = declared(location.definitions.assets or (), key)
    require_function(made, key)
    partitions = partitions_of(location, key, partition)
    inputs = _Naming(False, {}, {}).read_of(location, made, partitions)
    function = inspect.unwrap(function_of(made))
    given = code(loading(inputs, get_type_hints(function)), INPUTS)
    source = function_of(made).__dict__.get(SOURCE)
    if source is None:
        # First what the module has: it names assets, too, whose values follow.
        own = code(f"from {function.__module__} import *  # what the function below uses")
        cells = [text(_title(key, function, partitions)), own, given, *_of_function(made, function, partitions)]
    else:
        cells = _of_notebook(read_notebook(source)["cells"], given, partitions)
    return {"asset": key.to_user_string(), "partitions": partitions, "notebook": new_notebook(cells)}


class _Naming(LookingIOManager):
    """Finds out what a step would read, and lets it get no further."""

    def load_input(self, context: dg.InputContext) -> Any:
        self._resolve(context)

    def read_of(
        self, location: LoadedLocation, made: dg.AssetsDefinition, partitions: Sequence[str]
    ) -> dict[str, list[Version]]:
        """By parameter the versions."""
        with replaced_function(made, _stopping):
            result = dg.materialize(
                [made, *read_by(made, location.definitions.assets or ())],
                selection=[made.key],
                resources={**(location.definitions.resources or {}), "io_manager": self},
                instance=instance_in_memory(),
                tags=partition_tags(partitions),
                run_config=QUIET,
                raise_on_error=False,
            )
        wanted = set(made.keys_by_input_name) & set(inspect.signature(function_of(made)).parameters)
        if wanted - set(self.tried.read):
            raise NotFoundError(failure_of(result) or "What it reads cannot be found; `headrace run` tells more.")
        return {name: [item.version for item in shown] for name, shown in self.tried.read.items()}


def _stopping(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def stopped(*_args: Any, **_values: Any) -> None:
        raise dg.Failure("Nobody asked for a value.", allow_retries=False)

    return stopped


def _title(key: dg.AssetKey, function: Any, partitions: Sequence[str]) -> str:
    of = (
        f", {partitions[0]}" if len(partitions) == 1 else f", {partitions[0]} to {partitions[-1]}" if partitions else ""
    )
    about = inspect.getdoc(function) or ""
    return f"# {key.to_user_string()}{of}\n\n{about}\n\nNothing that is computed here becomes a version."


def _of_notebook(cells: Sequence[Cell], given: Cell, partitions: Sequence[str]) -> list[Cell]:
    """The asset's own notebook, with its inputs and partition where it finds them when it is a step."""
    kept = [cell for cell in cells if INPUTS not in tags_of(cell)]
    place = next((n + 1 for n, cell in enumerate(kept) if PARAMETERS in tags_of(cell)), None)
    if partitions:
        known = code("\n".join(_partition(partitions)), "injected-parameters")
        kept.insert(
            next((n for n, c in enumerate(kept) if c["cell_type"] == "code"), 0) if place is None else place, known
        )
    first = next((n for n, cell in enumerate(kept) if cell["cell_type"] == "code"), len(kept))
    return [*kept[:first], given, *kept[first:]]


def _partition(partitions: Sequence[str]) -> Iterator[str]:
    yield f"partition_keys = {list(partitions)!r}"
    if len(partitions) == 1:
        yield f"partition_key = {partitions[0]!r}"


def _of_function(made: dg.AssetsDefinition, function: Any, partitions: Sequence[str]) -> Iterator[Cell]:
    yield code(_without_decorators(function))
    arguments = dict(_arguments(made, function, partitions))
    before = [f"{name} = {value}" for name, value in arguments.items() if value != name]
    call = f"{function.__name__}({', '.join(f'{name}={name}' for name in arguments)})"
    needs_dagster = ["import dagster as dg", ""] if any("dg." in line for line in before) else []
    yield code("\n".join([*needs_dagster, *before, f"value = {call}", "value"]))


def _arguments(made: dg.AssetsDefinition, function: Any, partitions: Sequence[str]) -> Iterator[tuple[str, str]]:
    """By parameter the code that gives its value; its own name where a cell above has it."""
    config, inputs = config_of(made), made.keys_by_input_name
    for name in inspect.signature(function).parameters:
        if name in CONTEXT_NAMES:
            yield name, f"dg.build_asset_context({_of(partitions)})"
        elif config is not None and name == "config":
            yield name, f"{config.__name__}()"
        elif name in inputs:
            yield name, name
        else:
            yield name, f"...  # the resource {name}"


def _of(partitions: Sequence[str]) -> str:
    if len(partitions) > 1:
        return f"partition_key_range=dg.PartitionKeyRange({partitions[0]!r}, {partitions[-1]!r})"
    return f"partition_key={partitions[0]!r}" if partitions else ""


def _without_decorators(function: Any) -> str:
    source = textwrap.dedent(inspect.getsource(function))
    (definition,) = ast.parse(source).body
    return "\n".join(source.splitlines()[definition.lineno - 1 :])
