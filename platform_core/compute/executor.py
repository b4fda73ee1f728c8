"""The one executor of every location: runs each step of a run on the backend that its Compute asks for."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from platform_core.compute.placement import ComputeTable
from platform_core.dagster_internals import ExecutionPlan, PlanOrchestrationContext, RetryMode
from platform_core.orchestrator.runs import active_execution

NAME = "headrace"


class RoutingExecutor(dg.Executor):
    """Executes the steps of one run side by side, each on its own backend."""

    def __init__(self, table: ComputeTable, max_concurrent: int | None = None) -> None:
        self._table = table
        self._max_concurrent = max_concurrent

    @property
    def retries(self) -> RetryMode:
        return RetryMode.ENABLED

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        # A process that only executes a step needs none of it.
        from platform_core.compute.observed import observed_run
        from platform_core.compute.orchestration import Orchestration

        with active_execution(plan_context, execution_plan, self.retries, self._max_concurrent) as active:
            run = Orchestration(
                self._table,
                plan_context,
                execution_plan,
                active,
                retries=self.retries,
                most=self._max_concurrent,
            )
            yield from observed_run(plan_context, run.events())


def routing_executor(table: ComputeTable) -> dg.ExecutorDefinition:
    """The executor for what a deployment offers.

    Its configuration, for one run at a time: `max_concurrent` steps at once at most.
    """

    @dg.executor(name=NAME, config_schema={"max_concurrent": dg.Field(dg.Noneable(int), default_value=None)})
    def headrace(context: dg.InitExecutorContext) -> dg.Executor:
        config: Any = context.executor_config
        return RoutingExecutor(table, config["max_concurrent"])

    return headrace
