"""Loads a location of a thousand assets, with or without a Compute: `python -m benchmarks.loading with`."""

import sys
from types import ModuleType

import dagster as dg

from platform_core import Compute, feature
from platform_core.compute.declaration import check_placements
from platform_core.compute.placement import ComputeTable
from platform_core.compute.profiles import Limits, Profile

ASSETS = 1000
TABLE = ComputeTable(profiles={"large": Profile(limits=Limits(cpu=16, memory="64GiB"))})


def location(compute: Compute | None) -> ModuleType:
    module = ModuleType("assets")
    for number in range(ASSETS):
        setattr(module, f"asset_{number}", _asset(number, compute))
    return module


def _asset(number: int, compute: Compute | None) -> dg.AssetsDefinition:
    @feature(key_prefix="t", name=f"asset_{number}", compute=compute, code_version="1")
    def nothing() -> None: ...

    return nothing


def main(compute: Compute | None) -> None:
    assets = dg.load_assets_from_modules([location(compute)])
    check_placements(assets, TABLE)
    dg.Definitions(assets=assets).resolve_implicit_global_asset_job_def()


if __name__ == "__main__":
    main(Compute(cpu=4, memory="8GiB", profile="large", retries=2) if sys.argv[1] == "with" else None)
