"""Jobs of steps that do nothing, under each executor: `python -m benchmarks.trivial_steps routed`.

What is left is what a step costs. The process prints its own processor seconds and those of its children, and the most
memory that it took itself.
"""

import os
import resource
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg

from platform_core import model
from platform_core.compute.executor import routing_executor
from platform_core.compute.placement import ComputeTable
from platform_core.compute.processes import become_reaper
from platform_core.orchestrator.partitions import partition_tags
from platform_core.orchestrator.runs import LocationOrigin, stream_run
from platform_core.orchestrator.spared import spare_imports

STEPS = int(os.environ.get("HEADRACE_BENCH_STEPS", "100"))

QUIET: Any = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Nowhere(dg.IOManager):
    """Keeps nothing: what is compared is steps, not stores."""

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None: ...

    def load_input(self, context: dg.InputContext) -> None: ...


def _asset(number: int) -> dg.AssetsDefinition:
    @dg.asset(name=f"step_{number}")
    def nothing() -> None: ...

    return nothing


@cache  # each process of a run asks for its job again and again
def job_of_steps(executor: dg.ExecutorDefinition, steps: int = STEPS) -> dg.JobDefinition:
    definitions = dg.Definitions(
        assets=[_asset(number) for number in range(steps)],
        jobs=[dg.define_asset_job("steps")],
        resources={"io_manager": Nowhere()},
        executor=executor,
    )
    return definitions.resolve_job_def("steps")


def routed() -> dg.JobDefinition:
    return job_of_steps(routing_executor(ComputeTable()))


def multiprocess() -> dg.JobDefinition:
    return job_of_steps(dg.multiprocess_executor)


def in_process() -> dg.JobDefinition:
    return job_of_steps(dg.in_process_executor)


def fan_out() -> dg.JobDefinition:
    """One step with as many partitions as the others have steps."""
    return _partitioned()


@cache
def _partitioned() -> dg.JobDefinition:
    @model(key_prefix="t", partitions_def=dg.StaticPartitionsDefinition(_keys()))
    def nothing() -> None: ...

    definitions = dg.Definitions(
        assets=[nothing],
        jobs=[dg.define_asset_job("steps")],
        resources={"io_manager": Nowhere()},
        executor=routing_executor(ComputeTable()),
    )
    return definitions.resolve_job_def("steps")


def _keys() -> list[str]:
    return [f"p{number:05}" for number in range(STEPS)]


JOBS: dict[str, Callable[[], dg.JobDefinition]] = {
    "routed": routed,
    "multiprocess": multiprocess,
    "in_process": in_process,
    "fan_out": fan_out,
}
OURS = ("routed", "fan_out")


def main(name: str) -> int:
    become_reaper()  # else what forked processes took would not be counted
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        os.environ |= {"DAGSTER_HOME": folder, "HEADRACE_HOME": folder}
        if name in OURS:
            spare_imports()
        with dg.DagsterInstance.get() as instance:
            success = _run_as_headrace_does(name, instance) if name in OURS else _run(name, instance)
    await_children()
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(f"{sum(each.ru_utime + each.ru_stime for each in used):.2f} s, {used[0].ru_maxrss // 1024} MB")
    return 0 if success else 1


def _run(name: str, instance: dg.DagsterInstance) -> bool:
    return dg.execute_job(dg.reconstructable(JOBS[name]), instance, run_config=QUIET).success


def _run_as_headrace_does(name: str, instance: dg.DagsterInstance) -> bool:
    """As `headrace run` does once it has loaded a location."""
    from platform_core.compute.held_event_log import held_open

    job = JOBS[name]()
    origin = LocationOrigin("t", __name__, name, Path(sys.executable))
    tags = partition_tags([_keys()[0], _keys()[-1]]) if name == "fan_out" else {}
    selection = list(job.asset_layer.executable_asset_keys)
    events = stream_run(job, instance, selection, tags, origin, hold=held_open)
    return [event.event_type for event in events][-1] == dg.DagsterEventType.RUN_SUCCESS


def await_children() -> None:
    if tracker := sys.modules.get("multiprocessing.resource_tracker"):
        os.close(tracker.getfd())  # else it waits for this process as this process would wait for it
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
