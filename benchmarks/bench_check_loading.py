"""Loading a location of a thousand assets with a check each, against plain Dagster."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.interleave import Comparison, Contender, command, interleaved

ASSETS = int(os.environ.get("HEADRACE_BENCH_ASSETS", "1000"))
OURS, PLAIN = "@fact(checks=[volume()])", "@dg.asset(check_specs=[...])"

LOADED = """
repository = defs.get_repository_def()
assert len(defs.resolve_asset_graph().asset_check_keys) == {assets}
"""
OF_OURS = """
import dagster as dg
from platform_core import fact, volume
def asset(number):
    def compute(): ...
    return fact(name=f"a{{number}}", key_prefix="t", checks=[volume()])(compute)
defs = dg.Definitions([asset(number) for number in range({assets})])
"""
OF_PLAIN = """
import dagster as dg
def asset(number):
    key = dg.AssetKey(["t", f"a{{number}}"])
    @dg.asset(key=key, check_specs=[dg.AssetCheckSpec("volume", asset=key, blocking=True)])
    def compute(): ...
    return compute
defs = dg.Definitions([asset(number) for number in range({assets})])
"""


def main() -> Comparison:
    with TemporaryDirectory() as folder:
        contenders: list[Contender] = []
        for name, source in ((OURS, OF_OURS), (PLAIN, OF_PLAIN)):
            path = Path(folder) / f"{len(contenders)}.py"
            path.write_text((source + LOADED).format(assets=ASSETS))
            contenders.append(command(name, ".venv/bin/python", path, env={"PYTHONPATH": os.getcwd()}))
        samples = interleaved(contenders, rounds=3)
    return Comparison(
        claim=f"A location of {ASSETS:,} assets with a check each loads within 1.5 times plain Dagster",
        subject=OURS,
        reference=PLAIN,
        target=1.5,
        samples=samples,
    )
