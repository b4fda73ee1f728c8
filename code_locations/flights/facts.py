"""What happened: the files that airlines, weather stations and registries deliver, typed and checked."""

import dagster as dg
import polars as pl

from code_locations.flights import schemas
from code_locations.flights.partitions import MONTHS
from platform_core import fact, volume
from resources.sources import SourceFiles


@fact(schema=schemas.ScheduledFlights, checks=[volume()], partitions_def=MONTHS, partition_by="month")
def scheduled_flights(context: dg.AssetExecutionContext, source_files: SourceFiles) -> pl.DataFrame:
    """Every scheduled departure out of New York with what became of it."""
    pattern = "flights/flights_{partition}.csv.gz"
    rows = source_files.read_partitions(pattern, schemas.FLIGHTS_CSV, context.partition_keys)
    return rows.with_columns(schemas.month_key())


@fact(schema=schemas.Weather, checks=[volume()], partitions_def=MONTHS, partition_by="month")
def weather(context: dg.AssetExecutionContext, source_files: SourceFiles) -> pl.DataFrame:
    """Hourly weather at the three New York airports."""
    pattern = "flights/weather_{partition}.csv.gz"
    rows = source_files.read_partitions(pattern, schemas.WEATHER_CSV, context.partition_keys)
    return rows.with_columns(schemas.month_key())


@fact(schema=schemas.Planes, quarantine=0.01)
def planes(source_files: SourceFiles) -> pl.DataFrame:
    """The registry of aircraft by tail number."""
    return source_files.read_csv("flights/planes.csv.gz", schemas.PLANES_CSV)


@fact(schema=schemas.Airports)
def airports(source_files: SourceFiles) -> pl.DataFrame:
    """Airports of the United States by FAA code."""
    return source_files.read_csv("flights/airports.csv.gz", schemas.AIRPORTS_CSV)


@fact(schema=schemas.Airlines)
def airlines(source_files: SourceFiles) -> pl.DataFrame:
    """Names of the carriers."""
    return source_files.read_csv("flights/airlines.csv.gz", schemas.AIRLINES_CSV)
