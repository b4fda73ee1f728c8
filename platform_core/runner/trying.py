"""Computes one asset on real inputs and looks at what comes of it, without a run that anybody else sees."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from platform_core.auditing.specs import read_by
from platform_core.catalog.opening import open_catalog
from platform_core.errors import NotFoundError, PartitionError, did_you_mean
from platform_core.event_metadata import plain_metadata
from platform_core.orchestrator.partitions import partition_tags
from platform_core.partitions import parse_keys
from platform_core.runner.loading import LoadedLocation
from platform_core.runner.showing import described
from platform_core.runner.tried import LookingIOManager, Tried, of_found
from platform_core.settings import current_settings
from platform_core.store.figures import kind_of
from platform_core.store.names import segment
from platform_core.tracking.looking import Asked, Look, look
from platform_core.tracking_metadata import kept_figures
from platform_core.trials.subject import (
    QUIET,
    config_values,
    declared,
    failure_of,
    given_versions,
    instance_in_memory,
    instead_of_parents,
    looks_itself,
    require_function,
)

UNSTARTED = "It could not be started; `headrace run` tells more."


@dataclass(frozen=True)
class Wish:
    """What shall be tried: texts as a person writes them.

    inputs: by parameter the version to read, as `ASSET@VERSION`.
    """

    asset: str
    partition: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    keep: bool = False
    rows: int = 8


def try_asset(
    location: LoadedLocation,
    wish: Wish,
    cache: dict[Any, Any] | None = None,
    asset: dg.AssetsDefinition | None = None,
) -> dict[str, Any]:
    """Computes the asset, and describes what came of it as plain data.

    Args:
        cache: inputs that were read before, by version; a process that tries often keeps them.
        asset: the asset as it is by now, when its module was reloaded.

    Raises:
        HeadraceError: there is no such asset, partition, parameter or version.
    """
    key = key_of(location, wish.asset)
    made = asset or declared(location.definitions.assets or (), key)
    partitions = partitions_of(location, key, wish.partition)
    asked = _asked(location, key, wish) if looks_itself(made) else None
    if asked is None:
        require_function(made, key)
    config = {} if asked else config_values(made, wish.parameters)
    given = {} if asked else given_versions(made, wish.inputs)
    manager = LookingIOManager(wish.keep, given, {} if cache is None else cache)
    with look(asked) as looked:
        result = dg.materialize(
            [made, *read_by(made, location.definitions.assets or ())],
            selection=[key],
            resources={**(location.definitions.resources or {}), "io_manager": manager},
            instance=instance_in_memory(),
            tags=partition_tags(partitions),
            run_config=QUIET | ({"ops": {made.op.name: {"config": config}}} if config else {}),
            raise_on_error=False,
        )
    tried = of_found(looked.found) if looked.found else manager.tried
    if looked.found is None:  # otherwise a step that failed did so for a check, which says why itself
        tried.sentence = failure_of(result) or ("" if result.success else UNSTARTED)
    return {
        "asset": key.to_user_string(),
        "partitions": list(partitions),
        **_told(tried, looked, wish.rows),
        "checks": _checks(result),
        "figures": _saved(key, kept_figures(tried.metadata)),
    }


def _asked(location: LoadedLocation, key: dg.AssetKey, wish: Wish) -> Asked:
    """Of what is computed by a function that looks by itself: it knows its own parameters."""
    return Asked(instead_of_parents(location.graph, key, wish.inputs), wish.parameters, wish.keep)


def key_of(location: LoadedLocation, text: str) -> dg.AssetKey:
    names = {key.to_user_string(): key for key in location.keys}
    fitting = [key for name, key in names.items() if name == text or name.rpartition("/")[2] == text]
    if len(fitting) != 1:
        known = [*names, *(name.rpartition("/")[2] for name in names)]
        raise NotFoundError(f"Location {location.name} has no asset '{text}'.{did_you_mean(text, known)}")
    return fitting[0]


def partitions_of(location: LoadedLocation, key: dg.AssetKey, text: str) -> list[str]:
    definition = location.graph.get(key).partitions_def
    if definition is None:
        if text:
            raise PartitionError(f"{key.to_user_string()} has no partitions; leave out {text}.")
        return []
    known = list(definition.get_partition_keys())
    if text:
        return parse_keys(text, known)
    settings = current_settings()
    shown = open_catalog(settings.catalog).resolve(settings.writes_to, key.to_user_string())
    return [next((item for item in reversed(known) if item in shown), known[-1])]


def _told(tried: Tried, looked: Look, rows: int) -> dict[str, Any]:
    told = plain_metadata(tried.metadata)
    return {
        "sentence": tried.sentence,
        "rejected": told.pop("headrace/rejected", tried.rejected),
        "inputs": [
            {"name": name, "version": item.version.label, "shown_by": item.shown_by, "rows": item.version.rows}
            for name, shown in tried.read.items()
            for item in shown
        ],
        "parts": [{"name": item.name, "seconds": item.seconds, "memory": item.memory} for item in looked.parts],
        "metrics": {name: value for name, value in told.items() if not name.startswith("headrace/")},
        "parameters": dict(tried.parameters),
        "kept": [version.label for version in tried.kept],
        "value": None if tried.sentence else described(tried.value, rows),
        "series": getattr(tried.metadata.get("headrace/series"), "value", {}),
    }


def _checks(result: dg.ExecuteInProcessResult) -> list[dict[str, Any]]:
    found = []
    for event in result.all_events:
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            item = event.asset_check_evaluation_data
            found.append({
                "check": item.check_name,
                "passed": item.passed,
                "severity": item.severity.value,
                "description": item.description or "",
            })  # fmt: skip
    return found


def _saved(key: dg.AssetKey, figures: Mapping[str, bytes]) -> dict[str, str]:
    """Where figures can be looked at: in the home, the last ones of each asset."""
    folder = current_settings().home / "tried" / "-".join(key.path)
    paths = {name: folder / f"{segment(name)}.{kind_of(drawn)}" for name, drawn in figures.items()}
    for name, path in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(figures[name])
    return {name: str(path) for name, path in paths.items()}
