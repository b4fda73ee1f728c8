"""One look of the daemon at 1,000 assets with automation conditions: ours, and plain Dagster's."""

from collections.abc import Callable
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg

from benchmarks.interleave import Comparison, Contender, interleaved
from platform_core import feature
from platform_core.automation import REBUILD_ON_CHANGE

ASSETS, ROUNDS, LIMIT = 1000, 5, 1.2
OURS, PLAIN = "assets of the platform", "plain Dagster"
WIDTH = 10  # chains of a hundred


def main() -> Comparison:
    with TemporaryDirectory() as first, TemporaryDirectory() as second:
        contenders = [Contender(OURS, _tick(_ours(), first)), Contender(PLAIN, _tick(_plain(), second))]
        samples = interleaved(contenders, ROUNDS)
    claim = f"A tick over {ASSETS:,} assets with automation conditions takes at most {LIMIT:g} times plain Dagster's"
    return Comparison(claim=claim, subject=OURS, reference=PLAIN, target=LIMIT, samples=samples)


def _tick(assets: list[Any], folder: str) -> Callable[[], None]:
    """A tick as the daemon evaluates it, after the first one, which looks at everything for the first time."""
    instance = dg.DagsterInstance.local_temp(folder)
    definitions = dg.Definitions(assets=assets)
    last = [dg.evaluate_automation_conditions(definitions, instance)]

    def tick() -> None:
        last[0] = dg.evaluate_automation_conditions(definitions, instance, cursor=last[0].cursor)
        assert last[0].total_requested >= 0

    return tick


def _ours() -> list[Any]:
    return [_made(feature, number, REBUILD_ON_CHANGE) for number in range(ASSETS)]


def _plain() -> list[Any]:
    return [_made(dg.asset, number, REBUILD_ON_CHANGE) for number in range(ASSETS)]


def _made(declare: Any, number: int, condition: Any) -> Any:
    read = [["t", f"a{number - WIDTH}"]] if number >= WIDTH else []

    def nothing() -> None: ...

    return declare(name=f"a{number}", key_prefix="t", deps=read, automation_condition=condition)(nothing)
