"""The sensor of a location that watches it, tells owners, and shows that it lives."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import dagster as dg

from platform_core.alerts.ledger import Ledger
from platform_core.alerts.watch import Watch
from platform_core.automation import sensor_status
from platform_core.errors import SettingsError
from platform_core.locations import all_locations
from platform_core.orchestrator.daemons import unloaded_locations

INTERVAL = 60


class Notifier(Protocol):
    def tell(self, owner: str, title: str, body: str) -> None: ...
    def beat(self) -> None: ...


def alert_sensor(location: str, schedules: Sequence[dg.ScheduleDefinition] = ()) -> dg.SensorDefinition:
    """Watches the assets, checks and schedules of a location once a minute. On by default in production only."""
    name = f"{location}_alerts"

    @dg.sensor(
        name=name,
        minimum_interval_seconds=INTERVAL,
        default_status=sensor_status(),
        description="Tells owners of failed runs and checks, stale assets, dead schedules, sensors and daemons.",
    )
    def alerts(context: dg.SensorEvaluationContext, notifier: dg.ResourceParam[Any]) -> dg.SkipReason:
        repository = context.repository_def
        graph = repository.asset_graph if repository else None
        # Without itself: what it could not tell it tells the next time, and that it could not is of no use then.
        sensors = [item.name for item in repository.sensor_defs if item.name != name] if repository else []
        now, first = datetime.now(UTC), _is_first(location, unloaded_locations(context.instance))
        watch = Watch(context.instance, graph, schedules, location, now, first, sensors)
        return dg.SkipReason(tell(context, watch, notifier))

    return alerts


def tell(context: Any, watch: Watch, notifier: Notifier) -> str:
    """Tells what is new, moves the cursor only when that arrived, and says in a sentence how things are."""
    problems = watch.problems()
    ledger, messages = Ledger.parse(context.cursor).update(problems, watch.now)
    for message in messages:
        notifier.tell(message.owner, message.title, message.body)
    context.update_cursor(ledger.to_text())
    notifier.beat()
    return f"{len(problems)} problems last; {len(messages)} messages were sent."


def _is_first(location: str, unloaded: Collection[str]) -> bool:
    """One location tells of what is nobody's: the first in the list of those that can be loaded."""
    try:
        return [item.name for item in all_locations() if item.name not in unloaded][:1] == [location]
    except SettingsError:
        return False
