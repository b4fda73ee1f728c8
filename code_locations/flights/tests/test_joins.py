"""Features know the past, all of the past that counts, and nothing that comes after the scheduled minute."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from code_locations.flights.joins import CATEGORICAL, FEATURES, OUTPUT, WEATHER, departure_features
from code_locations.flights.tests.tables import (
    MONTHS,
    Tables,
    days_of_route,
    departures,
    observations,
    register,
    route_days,
)

OUTCOMES = {"late", "cancelled", "arr_delay", "dep_delay", "dep_time", "arr_time", "air_time"}
NO_WEATHER, NO_PLANES, NO_HISTORY = observations(), register(), days_of_route({})


def seen(
    flights: pl.DataFrame,
    weather: pl.DataFrame = NO_WEATHER,
    planes: pl.DataFrame = NO_PLANES,
    history: pl.DataFrame = NO_HISTORY,
) -> pl.DataFrame:
    return Tables(flights, weather, planes, history).features()


def test_the_label_and_other_outcomes_are_no_features():
    assert OUTCOMES.isdisjoint(FEATURES)
    assert set(CATEGORICAL) < set(FEATURES) < set(OUTPUT)


# Weather


@pytest.mark.parametrize(
    ("observed", "age"),
    [
        ("2013-03-20 14:00", None),  # its hour begins at the scheduled minute
        ("2013-03-20 13:00", 0),  # its hour ends at the scheduled minute
        ("2013-03-20 12:00", 60),
        ("2013-03-20 07:00", 360),
        ("2013-03-20 06:00", None),  # known for seven hours
    ],
)
def test_an_observation_counts_from_the_end_of_its_hour_for_six_hours(observed: str, age: int | None):
    row = seen(departures("2013-03-20 14:00"), weather=observations(observed))
    assert row["weather_age"].to_list() == [age]
    assert row["temp"].to_list() == [None if age is None else 0.0]


def test_six_hours_and_a_minute_is_too_old():
    row = seen(departures("2013-03-20 14:01"), weather=observations("2013-03-20 07:00"))
    assert row.select(*WEATHER).row(0) == (None,) * len(WEATHER)


def test_the_latest_known_observation_counts_whatever_the_order_of_the_rows():
    hours = ("2013-03-20 13:00", "2013-03-20 11:00", "2013-03-20 12:00")
    rows = seen(departures("2013-03-20 14:30", "2013-03-20 12:05", "2013-03-20 13:59"), weather=observations(*hours))
    assert rows["temp"].to_list() == [0.0, 1.0, 2.0]
    assert rows["weather_age"].to_list() == [30, 5, 59]


def test_of_two_observations_for_one_hour_the_one_delivered_last_counts():
    row = seen(departures("2013-03-20 14:30"), weather=observations("2013-03-20 13:00", "2013-03-20 13:00"))
    assert row["temp"].to_list() == [1.0]


def test_weather_is_that_of_the_airport():
    row = seen(departures("2013-03-20 14:30"), weather=observations("2013-03-20 13:00", origin="EWR"))
    assert row["temp"].to_list() == [None]


def test_a_wind_that_nobody_survives_is_a_misreading():
    row = seen(departures("2013-03-20 14:30"), weather=observations("2013-03-20 13:00", wind_speed=1048.4))
    assert row.select("wind_speed", "temp").row(0) == (None, 0.0)


# History of the route


def test_history_is_the_mean_of_the_days_minus_eight_to_minus_two():
    flights = departures("2013-03-20 14:30")
    outside = {"2013-03-11": 1.0, "2013-03-19": 1.0, "2013-03-20": 1.0, "2013-03-21": 1.0}
    row = seen(flights, history=days_of_route({"2013-03-12": 0.0, "2013-03-18": 0.5} | outside))
    assert row.select("late_share_7d", "mean_delay_7d", "cancelled_share_7d", "departures_7d").row(0) == (
        0.25,
        5.0,
        0.1,
        10.0,
    )


def test_days_without_a_value_are_left_out_of_the_mean():
    row = seen(departures("2013-03-20 14:30"), history=days_of_route({"2013-03-15": None, "2013-03-16": 0.5}))
    assert row["late_share_7d"].to_list() == [0.5]


@pytest.mark.parametrize("cells", [{"origin": "EWR"}, {"dest": "MIA"}])
def test_history_is_that_of_the_route(cells: dict[str, str]):
    row = seen(departures("2013-03-20 14:30"), history=days_of_route({"2013-03-16": 0.5}, **cells))
    assert row.select("late_share_7d", "departures_7d").row(0) == (None, None)


def test_the_first_days_of_the_year_have_no_history(features: pl.DataFrame):
    first = features.filter(pl.col("flight_date") < date(2013, 1, 3))
    assert first.height > 1000
    assert first["departures_7d"].null_count() == first.height
    assert features.filter(pl.col("flight_date") == date(2013, 1, 3))["departures_7d"].null_count() < 100


# Planes and calendar


def test_a_plane_brings_its_age_seats_and_engines():
    row = seen(departures("2013-03-20 14:30"), planes=register(N1=1999, N2=2005))
    assert row.select("plane_age", "seats", "engines").row(0) == (14, 100, 2)


@pytest.mark.parametrize("tailnum", [None, "N3"])
def test_a_plane_that_is_missing_or_unknown_brings_nothing(tailnum: str | None):
    row = seen(departures("2013-03-20 14:30", tailnum=tailnum), planes=register(N1=1999))
    assert row.select("plane_age", "seats", "engines").row(0) == (None, None, None)


def test_a_plane_of_unknown_age_keeps_its_seats():
    row = seen(departures("2013-03-20 14:30"), planes=register(N1=None))
    assert row.select("plane_age", "seats").row(0) == (None, 100)


def test_a_plane_registered_twice_does_not_double_the_flight():
    twice = pl.concat([register(N1=1999), register(N1=2003)])
    assert seen(departures("2013-03-20 14:30"), planes=twice)["plane_age"].to_list() == [10]


def test_the_calendar_is_the_local_one():
    late_evening = departures("2013-04-01 03:30", flight_date=date(2013, 3, 31), scheduled_hour=23)
    row = seen(late_evening)
    assert row.select("day_of_week", "month_of_year", "scheduled_hour").row(0) == (7, 3, 23)


# The whole


def test_no_flights_give_no_rows_of_the_declared_types():
    assert dict(seen(departures()).schema) == OUTPUT


def test_each_flight_is_one_row_in_its_place(winter: Tables, features: pl.DataFrame):
    assert features["flight_id"].to_list() == winter.flights_clean["flight_id"].to_list()
    assert features["flight_id"].is_unique().all()


def test_rows_keep_the_order_that_they_came_in(winter: Tables, features: pl.DataFrame):
    order = random.Random(0).sample(range(features.height), 2_000)
    shuffled = replace(winter, flights_clean=winter.flights_clean[order])
    assert_frame_equal(shuffled.features(), features[order])


def test_one_month_after_the_other_equals_all_at_once(winter: Tables, features: pl.DataFrame):
    for number, month in enumerate(MONTHS):
        assert month_alone(winter, number).equals(features.filter(month=month)), month


def month_alone(tables: Tables, number: int) -> pl.DataFrame:
    """The features of one month from its flights, and from weather and history of that month and the one before."""
    recent = pl.col("month").is_in(MONTHS[max(0, number - 1) : number + 1])
    flights = tables.flights_clean.filter(month=MONTHS[number])
    return Tables(flights, tables.weather.filter(recent), tables.planes, tables.route_days.filter(recent)).features()


def test_the_streaming_engine_gives_the_same_values(winter: Tables, features: pl.DataFrame):
    frames = (winter.flights_clean, winter.weather, winter.planes, winter.route_days)
    assert departure_features(*(frame.lazy() for frame in frames)).collect(engine="streaming").equals(features)


@pytest.mark.parametrize("seed", range(4))
def test_nothing_that_happens_later_changes_a_feature(
    seed: int, winter: Tables, scheduled: pl.DataFrame, features: pl.DataFrame
):
    print(f"seed {seed}")
    draw = random.Random(seed)
    now = draw.choice(features.filter(pl.col("flight_date") > date(2013, 1, 10))["scheduled_departure"].to_list())
    assert_past_stands(winter, scheduled, features, now, draw)


@pytest.mark.parametrize("seed", range(4))
def test_what_left_yesterday_and_is_still_in_the_air_changes_no_feature(
    seed: int, winter: Tables, scheduled: pl.DataFrame, features: pl.DataFrame
):
    print(f"seed {seed}")
    draw = random.Random(seed)
    moments = departures_with_yesterday_in_the_air(winter.flights_clean.with_columns(landed=landed(scheduled)))
    assert_past_stands(winter, scheduled, features, draw.choice(moments), draw)


def departures_with_yesterday_in_the_air(clean: pl.DataFrame) -> list[datetime]:
    """The scheduled minutes at which a flight of yesterday, on the same route, had not yet landed."""
    today = clean.with_columns(yesterday=pl.col("flight_date") - timedelta(days=1))
    pairs = today.join(
        clean, left_on=["origin", "dest", "yesterday"], right_on=["origin", "dest", "flight_date"], suffix="_before"
    )
    in_the_air = pl.col("scheduled_departure") < pl.col("landed_before")
    return pairs.filter(in_the_air)["scheduled_departure"].unique().sort().to_list()


def assert_past_stands(
    winter: Tables, scheduled: pl.DataFrame, features: pl.DataFrame, now: datetime, draw: random.Random
) -> None:
    changed = another_future(winter, scheduled, now, draw).features()
    past = pl.col("scheduled_departure") <= now
    columns = ["flight_id", *FEATURES]
    assert_frame_equal(changed.filter(past).select(columns), features.filter(past).select(columns), check_exact=True)
    assert not changed.filter(~past).select(columns).equals(features.filter(~past).select(columns))


def another_future(tables: Tables, scheduled: pl.DataFrame, now: datetime, draw: random.Random) -> Tables:
    """As if every arrival and every observation after `now` had been another."""
    delay = pl.when(landed(scheduled) > now).then(float(draw.randint(200, 400))).otherwise("arr_delay")
    clean = tables.flights_clean.with_columns(arr_delay=delay).with_columns(late=pl.col("arr_delay") > 15)
    measurements = [name for name in WEATHER if name != "weather_age"]
    taken_later = pl.col("time_hour") + timedelta(hours=1) > now
    noise = [pl.when(taken_later).then(draw.random()).otherwise(name).alias(name) for name in measurements]
    return Tables(clean, tables.weather.with_columns(noise), tables.planes, route_days(clean))


def landed(scheduled: pl.DataFrame) -> pl.Expr:
    """When each plane was on the ground at the earliest, without the minutes of taxiing, which are not delivered."""
    minutes = pl.lit(scheduled["dep_delay"].fill_null(0) + scheduled["air_time"].fill_null(0))
    return pl.col("scheduled_departure") + pl.duration(minutes=minutes)
