"""A small location with every way in which assets and partitions go together."""

from collections.abc import Sequence
from typing import Any

import dagster as dg
import polars as pl

from platform_core import fact, feature, model, prediction
from platform_core.io_manager import HeadraceIOManager
from platform_core.runner.loading import LoadedLocation

MONTHS = dg.StaticPartitionsDefinition(["jan", "feb", "mar", "apr"])
LATER = dg.StaticPartitionsDefinition(["mar", "apr"])


def month(context: dg.AssetExecutionContext) -> pl.DataFrame:
    return pl.DataFrame({"month": list(context.partition_keys)})


@fact(key_prefix="t")
def planes() -> pl.DataFrame:
    return pl.DataFrame({"plane": ["N1"]})


@fact(key_prefix="t", partitions_def=MONTHS, partition_by="month")
def flights(context: dg.AssetExecutionContext) -> pl.DataFrame:
    return month(context)


@feature(key_prefix="t", partitions_def=MONTHS, partition_by="month")
def features(flights: pl.DataFrame, planes: pl.DataFrame) -> pl.DataFrame:
    return flights


@model(
    key_prefix="t", partitions_def=LATER, ins={"features": dg.AssetIn(partition_mapping=dg.IdentityPartitionMapping())}
)
def trained(features: pl.DataFrame) -> list[str]:
    return features["month"].to_list()


@prediction(key_prefix="t", partitions_def=LATER, partition_by="month")
def predicted(context: dg.AssetExecutionContext, trained: Any) -> pl.DataFrame:
    return month(context)


ASSETS = [planes, flights, features, trained, predicted]


def located(
    *assets: Any,
    checks: Sequence[dg.AssetChecksDefinition] = (),
    executor: dg.ExecutorDefinition = dg.in_process_executor,
) -> LoadedLocation:
    definitions = dg.Definitions(
        assets=assets or ASSETS,
        asset_checks=checks,
        resources={"io_manager": HeadraceIOManager()},
        executor=executor,
        loggers={"console": dg.colored_console_logger},
    )
    return LoadedLocation("t", "code_locations.t.definitions", "defs", definitions)
