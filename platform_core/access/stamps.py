"""Says on each run and backfill who launched it and which team it is of, whatever the request says of that."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from platform_core.access.rights import Rights
from platform_core.orchestrator.places import with_tags

USER, TEAM = "user", "team"  # the UI shows the first as "launched by"
# What says of a run that something else has launched it. With these, somebody could make a schedule, a sensor or a
# backfill of another team believe that its runs were there already.
_FORGEABLE = frozenset(
    {
        USER,
        TEAM,
        "dagster/backfill",
        "dagster/run_key",
        "dagster/schedule_name",
        "dagster/sensor_name",
        "dagster/tick",
        "dagster/auto_materialize",
        "dagster/from_automation_condition",
        "dagster/asset_evaluation_id",
        "dagster/auto_retry_run_id",
        "dagster/reporting_user",
    }
)
Arguments = dict[str, Any]


def tags_of(rights: Rights, places: Iterable[str | None]) -> dict[str, str]:
    """Who launches, and the teams whose locations compute, which is who pays.

    What belongs to no team's location counts for the teams of the user.
    """
    teams = rights.deployment.teams
    owners = {teams[place].removeprefix("team:") for place in places if place is not None and place in teams}
    who = rights.identity
    team = "+".join(sorted(owners) or (who.teams if who else ()))
    return {**({USER: who.user} if who else {}), **({TEAM: team} if team else {})}


def stamped_execution(parameters: Any, tags: Mapping[str, str]) -> Arguments:
    """The parameters of a run with tags of ours."""
    about = dict(parameters.get("executionMetadata") or {})
    return {**parameters, "executionMetadata": {**about, "tags": _with(about.get("tags"), tags)}}


def stamped_reexecution(parameters: Any, tags: Mapping[str, str]) -> Arguments:
    return {**parameters, "extraTags": _with(parameters.get("extraTags"), tags)}


def stamped_backfill(parameters: Any, tags: Mapping[str, str]) -> Arguments:
    return {**parameters, "tags": _with(parameters.get("tags"), tags)}


Stamp = Callable[[Any, Mapping[str, str]], Arguments]


def _with(sent: Iterable[Mapping[str, str]] | None, tags: Mapping[str, str]) -> list[dict[str, str]]:
    kept = [dict(tag) for tag in sent or () if not _is_forgeable(tag["key"])]
    return kept + [{"key": key, "value": value} for key, value in tags.items()]


def _is_forgeable(key: str) -> bool:
    return key in _FORGEABLE or key.startswith(".dagster/")


class StampedBackfills:
    """An instance of Dagster that says on each backfill that is added who wanted it."""

    def __init__(self, instance: Any, tags: Mapping[str, str]) -> None:
        self._instance, self._tags = instance, tags

    def __getattr__(self, name: str) -> Any:
        return getattr(self._instance, name)

    def add_backfill(self, backfill: Any) -> None:
        self._instance.add_backfill(with_tags(backfill, self._tags))
