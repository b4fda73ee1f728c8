"""Runs without processes of their own: what an executor is handed, and a backend that does as it is told."""

import sys
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import dagster as dg

from platform_core.compute.attempts import Attempt, Change, Ending, Order
from platform_core.compute.backends.backend import Backend
from platform_core.compute.profiles import Limits
from platform_core.compute.requests import StepRequest
from platform_core.compute.retelling import Retelling
from platform_core.compute.run_worker import RunWorker
from platform_core.compute.spec import BackendName
from platform_core.compute.worker import unpack
from platform_core.dagster_internals import (
    ExecutionPlan,
    ExecutionStep,
    InMemoryJob,
    PlanOrchestrationContext,
    RetryMode,
    create_execution_plan,
    execute_plan_iterator,
)
from platform_core.orchestrator.partitions import partition_tags
from platform_core.orchestrator.runs import LocationOrigin, stream_run

Result = TypeVar("Result")
Body = Callable[[PlanOrchestrationContext, ExecutionPlan], Result]
# What becomes of an attempt: its step is executed, it ends without a word, or it goes on until it is terminated.
Fate = Ending | Literal["works", "stays"]
ORIGIN = LocationOrigin("t", "code_locations.t.definitions", "defs", Path(sys.executable))


def a_run(
    instance: dg.DagsterInstance,
    worker: RunWorker | None = None,
    origin: LocationOrigin = ORIGIN,
    status: dg.DagsterRunStatus = dg.DagsterRunStatus.STARTED,
) -> dg.DagsterRun:
    """One of a job with one asset, which nobody executes."""

    @dg.asset
    def one() -> None: ...

    return instance.create_run_for_job(
        Job(one).definition,
        status=status,
        tags=worker.tags if worker else {},
        remote_job_origin=origin.seen_by_webserver("all"),
        job_code_origin=origin.seen_by_steps("all"),
    )


class Job:
    """A job of some assets, and the runs of it on one instance."""

    def __init__(self, *assets: Any, executor: dg.ExecutorDefinition | None = None) -> None:
        definitions = dg.Definitions(assets=assets, executor=executor, jobs=[dg.define_asset_job("all")])
        self.definition = definitions.resolve_job_def("all")
        self.instance = dg.DagsterInstance.ephemeral()
        self.job = InMemoryJob(self.definition)

    def run(self, of: str = "", **tags: str) -> list[dg.DagsterEvent]:
        """Executes the job, of a partition or of a range such as `a..c`."""
        return list(self.events(of, **tags))

    def events(self, of: str = "", **tags: str) -> Iterator[dg.DagsterEvent]:
        chosen = sorted(self.definition.asset_layer.selected_asset_keys)
        partition = partition_tags(of.split("..") if of else [])
        yield from stream_run(self.definition, self.instance, chosen, {**tags, **partition}, ORIGIN)

    @property
    def stored(self) -> list[dg.DagsterEvent]:
        """What the event log holds of the only run."""
        (run,) = self.instance.get_runs()
        events = (entry.dagster_event for entry in self.instance.all_logs(run.run_id))
        return [event for event in events if event is not None]


class _Handing(dg.Executor):
    def __init__(self, body: Body[Any], results: list[Any]) -> None:
        self._body, self._results = body, results

    @property
    def retries(self) -> RetryMode:
        return RetryMode.ENABLED

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        self._results.append(self._body(plan_context, execution_plan))
        yield from ()


def handed(body: Body[Result], *assets: Any, of: str = "", **tags: str) -> Result:
    """What `body` returns for the context and the plan that an executor would be handed for a run of the assets."""
    results: list[Result] = []
    executor = dg.ExecutorDefinition(name="handing", executor_creation_fn=lambda _: _Handing(body, results))
    Job(*assets, executor=executor).run(of, **tags)
    return results[0]


def step_of(plan: ExecutionPlan, asset: dg.AssetsDefinition) -> ExecutionStep:
    """The step that materialises an asset."""
    step = plan.get_step_by_key(asset.op.name)
    assert isinstance(step, ExecutionStep)
    return step


class ScriptedBackend(Backend):
    """Lets the attempts of each step meet their fates in turn; whatever has none left works.

    A step that works is executed here and now, its events going to the event log as those of any other process.
    """

    name: ClassVar[BackendName] = "batch"

    def __init__(self, fates: Mapping[str, Sequence[Fate]] | None = None, limits: Limits | None = None) -> None:
        super().__init__()
        self.orders: list[Order] = []
        self.launches: list[int] = []  # how many orders came together
        self.terminated: list[Attempt] = []
        self.news: list[Change] = []
        self.job: Job | None = None
        self.most_at_once = 0
        self._limits = limits or Limits()
        self._fates = defaultdict(list, {step: list(some) for step, some in (fates or {}).items()})

    @property
    def limits(self) -> Limits:
        return self._limits

    def launch(self, orders: Sequence[Order]) -> None:
        self.launches.append(len(orders))
        for order in orders:
            self.orders.append(order)
            fates = self._fates[order.attempt.step]
            fate: Fate = fates.pop(0) if fates else "works"
            if fate == "works":
                self._execute(StepRequest.from_text(unpack(order.payload)))
                fate = Ending("finished")
            if isinstance(fate, Ending):
                self.news.append(Change(order.attempt, "ended", ending=fate))

    def changes(self) -> Sequence[Change]:
        news, self.news = self.news, []
        return news

    def terminate(self, attempts: Collection[Attempt]) -> None:
        self.terminated.extend(attempts)
        self.news += [Change(each, "ended", ending=Ending("cancelled", "It was cancelled.")) for each in attempts]

    def close(self) -> None: ...

    def _execute(self, request: StepRequest) -> None:
        assert self.job is not None
        job, instance = self.job.job, self.job.instance
        run = instance.get_run_by_id(request.run)
        assert run is not None
        run = run.with_tags(request.tags) if request.tags else run
        retold, store = Retelling(request), instance.handle_new_event
        plan = create_execution_plan(job, run.run_config, [request.step], request.known_state)
        with ExitStack() as stack:
            stack.callback(vars(instance).pop, "handle_new_event")
            vars(instance)["handle_new_event"] = lambda entry, **_: store(told) if (told := retold(entry)) else None
            list(execute_plan_iterator(plan, job, run, instance, request.retry_mode, run.run_config))
