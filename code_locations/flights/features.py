"""What is known of a flight at the minute it is scheduled to depart."""

from datetime import timedelta

import dagster as dg
import polars as pl

from code_locations.flights import joins, schemas
from code_locations.flights.partitions import MONTHS, WITH_MONTH_BEFORE
from platform_core import EventTime, Known, drift, feature
from resources.warehouse import Unloaded, Warehouse

# What a departure turns out to be is known when it has landed: 43 hours after its local date began, at the latest.
LANDED = timedelta(days=2)
KNOWN = {
    "flights_clean": Known("scheduled_departure", later=dict.fromkeys(["cancelled", "arr_delay", "late"], LANDED)),
    "weather": Known("time_hour", after=joins.OBSERVED_WITHIN),
    "route_days": Known("flight_date", after=LANDED),
}


@feature(
    schema=schemas.DepartureFeatures,
    event_time=EventTime("scheduled_departure", KNOWN, labels=[joins.LABEL]),
    checks=[drift(ignore=["month_of_year", joins.LABEL])],
    partitions_def=MONTHS,
    partition_by="month",
    ins={
        "weather": dg.AssetIn(partition_mapping=WITH_MONTH_BEFORE),
        "route_days": dg.AssetIn(partition_mapping=WITH_MONTH_BEFORE),
    },
)
def departure_features(
    flights_clean: pl.LazyFrame, weather: pl.LazyFrame, planes: pl.LazyFrame, route_days: pl.LazyFrame
) -> pl.LazyFrame:
    """Calendar, aircraft, weather and route history of each departure, as known at its scheduled minute."""
    return joins.departure_features(flights_clean, weather, planes, route_days)


@feature(
    schema=schemas.AircraftMonths,
    partitions_def=MONTHS,
    partition_by="month",
    deps=[dg.AssetKey(["flights", "flights_clean"]), dg.AssetKey(["flights", "planes"])],
)
def aircraft_months(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Unloaded:
    """What each aircraft flew in a month, and how late: joined where the data is, and kept as the engine wrote it."""
    sql = """
        select
            f.month, f.tailnum, p.manufacturer, p.seats,
            count(*) as departures,
            sum(case when f.cancelled then 1 else 0 end) as cancelled,
            sum(f.distance) as miles,
            avg(f.arr_delay) as mean_delay
        from flights.flights_clean as f
        left join flights.planes as p on f.tailnum = p.tailnum
        where f.tailnum is not null
        group by f.month, f.tailnum, p.manufacturer, p.seats
        order by f.month, f.tailnum
    """
    return warehouse.ctas(sql, partitions={"flights.flights_clean": context.partition_keys})
