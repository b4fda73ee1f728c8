"""`headrace try` of a small asset from the shell, with a warm process as `headrace ui` has one, against Metaflow."""

import sys
import tempfile
import time
from pathlib import Path

from benchmarks.bench_catalog import Limited
from benchmarks.interleave import BenchmarkError, Comparison, Contender, command, interleaved
from benchmarks.small_location import commands_in

OURS, PEER = "headrace try", "metaflow spin"
SECONDS = 1.0
FLOW = (sys.executable, "benchmarks/one_step_flow.py", "--quiet", "--no-pylint")


def main() -> Comparison:
    with tempfile.TemporaryDirectory() as folder:
        headrace, repository = commands_in(Path(folder), "numbers")
        from platform_core.cli.trying import warm_processes  # the settings of the new repository are read by now
        from platform_core.locations import all_locations

        def ours() -> None:
            done = headrace("try", "doubles", cwd=repository)
            if done.returncode or "3 rows" not in done.stdout:
                raise BenchmarkError(done.stdout)

        home = {"METAFLOW_USER": "bench", "METAFLOW_HOME": folder}
        home |= {f"METAFLOW_DATASTORE_SYSROOT_{kind}": folder for kind in ("LOCAL", "SPIN")}
        whole = command("metaflow run", *FLOW, "run", env=home)
        whole.run()
        peers = [command(PEER, *FLOW, "spin", "double", env=home), whole]
        with warm_processes(all_locations()):
            _await_warmth()
            samples = interleaved([Contender(OURS, ours), *peers], 7)
    return Limited(
        claim="Trying a small asset takes less than a second from the shell, and no longer than Metaflow's spin",
        subject=OURS,
        reference=PEER,
        target=1.0,
        samples=samples,
        limits={OURS: SECONDS},
    )


def _await_warmth() -> None:
    from platform_core.locations import all_locations
    from platform_core.settings import current_settings
    from platform_core.warm import address_of

    address = address_of(all_locations()[0].name, current_settings())
    for _ in range(600):
        if address.exists():
            return
        time.sleep(0.1)
    raise BenchmarkError("The warm process did not come up.")
