"""The locations that a request is about, which is what rights are asked for."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from platform_core.dagster_internals import CompoundID

if TYPE_CHECKING:
    from platform_core.dagster_internals import BaseWorkspaceRequestContext


def places_of_run(run: dg.DagsterRun) -> list[str | None]:
    """The location that a run is of; None for one of no location."""
    return [run.remote_job_origin.location_name if run.remote_job_origin else None]


def places_of_assets(context: "BaseWorkspaceRequestContext", keys: Sequence[dg.AssetKey]) -> list[str | None]:
    """The locations that compute some assets; None for those that none does."""
    graph = context.asset_graph
    return [graph.get_repository_handle(key).location_name if graph.has(key) else None for key in keys]


def places_of_backfill(context: "BaseWorkspaceRequestContext", identity: str) -> list[str | None]:
    """The locations that a backfill computes something in; None for one that is not known."""
    backfill = context.instance.get_backfill(identity)
    if backfill is None:
        return [None]
    if backfill.is_asset_backfill:
        return places_of_assets(context, backfill.asset_selection or ()) or [None]
    return [backfill.partition_set_origin.selector.location_name if backfill.partition_set_origin else None]


def places_of_instigator(
    context: "BaseWorkspaceRequestContext", kind: str, both: str | None, origin: str | None, selector: str | None
) -> list[str | None]:
    """The location of the schedule or sensor that a request means by two identities, or by `both` in one text.

    None when they are not of the same one: Dagster asks for the right on what the first names, and stops what the
    second names.

    Args:
        kind: `schedules` or `sensors`.
    """
    if (text := both or origin) and CompoundID.is_valid_string(text):
        compound = CompoundID.from_string(text)
        origin, selector = compound.remote_origin_id, compound.selector_id
    for location in context.code_locations:
        for repository in location.get_repositories().values():
            for one in getattr(repository, f"get_{kind}")():
                if one.get_remote_origin_id() == origin:
                    return [location.name if one.selector_id == selector else None]
    return [None]


def with_tags(backfill: Any, tags: Mapping[str, str]) -> Any:
    """A backfill with some tags of its own changed."""
    return backfill._replace(tags={**backfill.tags, **tags})
