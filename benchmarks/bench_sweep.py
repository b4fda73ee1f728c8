"""Two hundred trials of 50 ms on two cores, against the same work in a bare pool of two processes."""

import multiprocessing
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from benchmarks.interleave import BenchmarkError, Comparison, Contender, interleaved
from benchmarks.trivial_steps import await_children
from platform_core.compute.processes import become_reaper

OURS, PEER = "headrace sweep", "multiprocessing.Pool(2)"
TRIALS, CORES = 200, 2
ROUNDS = 5


def main() -> Comparison:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        os.environ |= {"DAGSTER_HOME": folder, "HEADRACE_HOME": folder, "HEADRACE_NAMESPACE": "user/bench"}
        samples = interleaved([Contender(OURS, forked(_ours)), Contender(PEER, forked(_pool))], ROUNDS)
    return Comparison(
        claim=f"{TRIALS} trials of 50 ms on two cores, each kept, take at most 1/0.8 of a bare pool of processes",
        subject=OURS,
        reference=PEER,
        target=1 / 0.8,
        samples=samples,
    )


def forked(work: Callable[[], None]) -> Callable[[], None]:
    """The work in a process that has everything loaded, as those of `headrace ui` and `headrace watch` have."""
    from platform_core.orchestrator.spared import spare_imports

    spare_imports()
    from benchmarks.sweep_of_trials import location  # loads what is to be there
    from platform_core.runner import sweeping
    from platform_core.runner.warm import load_what_is_used

    load_what_is_used()
    _ = location().keys, sweeping

    def run() -> None:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                become_reaper()  # else what forked processes took would not be counted
                work()
                await_children()
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        if os.waitpid(pid, 0)[1]:
            raise BenchmarkError(f"{work.__name__} failed.")

    return run


def _ours() -> None:
    from benchmarks.sweep_of_trials import location
    from platform_core.catalog.opening import open_catalog
    from platform_core.runner.sweeping import Wanted, begun, try_all
    from platform_core.settings import current_settings

    grid = ",".join(map(str, range(TRIALS)))
    sweep = begun(location(), Wanted("worked", grid=[f"number={grid}"], metric="result", parallel=CORES))
    sentences = list(try_all(location(), sweep, Path(sys.executable)))
    done = open_catalog(current_settings().catalog).trials(sweep.id)
    if sentences or [trial.state for trial in done] != ["done"] * TRIALS:
        raise BenchmarkError(f"{len(done)} trials ended. {' '.join(sentences)}")


def _pool() -> None:
    from benchmarks.sweep_of_trials import work

    with multiprocessing.get_context("fork").Pool(CORES) as pool:
        pool.map(work, range(TRIALS), chunksize=1)
