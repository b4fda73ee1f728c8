"""An asset that works for 50 ms of processor time with each parameter, and a location of it alone."""

import time
from typing import Any

import dagster as dg

from platform_core import log_metric, model
from platform_core.compute.executor import routing_executor
from platform_core.compute.placement import ComputeTable
from platform_core.io_manager import HeadraceIOManager
from platform_core.runner.loading import LoadedLocation
from platform_core.trials.job import sweep_job

WORK = 0.05  # processor seconds


class Numbered(dg.Config):
    number: int = 0


def work(number: int) -> float:
    end = time.thread_time() + WORK
    while time.thread_time() < end:
        number = (number * 1_103_515_245 + 12_345) % 2**31
    return float(number)


@model(key_prefix="bench")
def worked(config: Numbered) -> dict[str, Any]:
    log_metric("result", work(config.number))
    return {"number": config.number}


ASSETS = [worked]
RESOURCES = {"io_manager": HeadraceIOManager()}
defs = dg.Definitions(
    assets=ASSETS,
    jobs=[sweep_job(ASSETS, RESOURCES)],
    resources=RESOURCES,
    executor=routing_executor(ComputeTable()),
    loggers={"console": dg.colored_console_logger},
)


def location() -> LoadedLocation:
    return LoadedLocation("bench", __name__, "defs", defs)
