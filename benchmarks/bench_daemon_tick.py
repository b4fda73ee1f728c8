"""One look of the daemon at 1,000 assets with automation conditions: those of a location, and of plain Dagster."""

import warnings
from collections.abc import Callable
from itertools import cycle
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import dagster as dg

import code_locations.flights
from benchmarks.interleave import Comparison, Contender, interleaved
from platform_core import feature
from platform_core.automation import REBUILD_ON_CHANGE
from platform_core.compute.placement import ComputeTable
from platform_core.io_manager import HeadraceIOManager
from platform_core.location import build_location

ASSETS, ROUNDS, LIMIT = 1000, 7, 1.2
OURS, PLAIN = "a location of the platform", "plain Dagster, eager()"
WIDTH = 10  # chains of a hundred


def main() -> Comparison:
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    with TemporaryDirectory() as first, TemporaryDirectory() as second:
        contenders = [Contender(OURS, _tick(_ours(), first)), Contender(PLAIN, _tick(_plain(), second))]
        samples = interleaved(contenders, ROUNDS)
    claim = f"A tick over {ASSETS:,} assets with automation conditions takes at most {LIMIT:g} times plain Dagster's"
    return Comparison(claim=claim, subject=OURS, reference=PLAIN, target=LIMIT, samples=samples)


def _tick(definitions: dg.Definitions, folder: str) -> Callable[[], None]:
    """A tick after which one asset is asked for, as something that it reads is new; all were there before."""
    instance = dg.DagsterInstance.local_temp(folder)
    for number in range(ASSETS):
        _report(instance, number)
    last = [dg.evaluate_automation_conditions(definitions, instance)]
    roots = cycle(range(WIDTH))  # as an asset that was just asked for is not asked for at the next tick

    def tick() -> None:
        root = next(roots)
        _report(instance, root)
        last[0] = dg.evaluate_automation_conditions(definitions, instance, cursor=last[0].cursor)
        assert last[0].get_num_requested(_key(root + WIDTH)) == 1

    tick()
    return tick


def _report(instance: dg.DagsterInstance, number: int) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization(_key(number)))


def _key(number: int) -> dg.AssetKey:
    return dg.AssetKey(["t", f"a{number}"])


def _ours() -> dg.Definitions:
    module = ModuleType("code_locations.t.assets")
    module.__file__ = code_locations.flights.__file__  # whose owner it has
    for number in range(ASSETS):
        setattr(module, f"a{number}", _made(feature, number, REBUILD_ON_CHANGE))
    return build_location("t", [module], resources={"io_manager": HeadraceIOManager()}, compute=ComputeTable())


def _plain() -> dg.Definitions:
    return dg.Definitions([_made(dg.asset, number, dg.AutomationCondition.eager()) for number in range(ASSETS)])


def _made(declare: Any, number: int, condition: Any) -> Any:
    def nothing() -> None: ...

    read = [_key(number - WIDTH)] if number >= WIDTH else []
    return declare(name=f"a{number}", key_prefix="t", deps=read, automation_condition=condition)(nothing)
