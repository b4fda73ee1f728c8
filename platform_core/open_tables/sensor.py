"""The sensor of a location that publishes what production shows of its tables, and tries again what failed."""

import dagster as dg

from platform_core.automation import sensor_status
from platform_core.open_tables.publishing import changed_since, publish
from platform_core.settings import current_settings

INTERVAL = 60


def open_tables_sensor(location: str) -> dg.SensorDefinition:
    """Publishes a location's tables once a minute when something changed. On by default in production only.

    What fails is an error of the sensor: it is tried again with the next look, and its owner is told as of any other.
    """

    @dg.sensor(
        name=f"{location}_open_tables",
        minimum_interval_seconds=INTERVAL,
        default_status=sensor_status(),
        description="Shows production's tables to other engines, as Iceberg tables.",
    )
    def open_tables(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        if not current_settings().writes_to.is_production:
            return dg.SkipReason("Only production's tables are open.")
        newest, assets = changed_since(int(context.cursor or 0))
        done = publish([asset for asset in assets if asset.startswith(f"{location}/")])
        context.update_cursor(str(newest))
        return dg.SkipReason(f"{len(done)} tables were brought to transaction {newest}.")

    return open_tables
