"""What the run worker itself writes to the event log about steps, where their processes cannot."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from platform_core.compute.declaration import COMPUTED_CHECK
from platform_core.compute.event_sources import EventLogTail
from platform_core.dagster_internals import (
    ActiveExecution,
    DagsterEvent,
    EngineEventData,
    ExecutionStep,
    IStepContext,
    PlanOrchestrationContext,
    SerializableErrorInfo,
    StepFailureData,
    StepOutputData,
    StepOutputHandle,
    StepRetryData,
    StepSuccessData,
    TypeCheckData,
    UserFailureData,
)
from platform_core.orchestrator.steps import asset_nodes_of

Events = Iterator[dg.DagsterEvent]


class Voice:
    """Writes events about steps; those that decide over a step are handed to the state machine of the run."""

    def __init__(self, context: PlanOrchestrationContext, active: ActiveExecution, tail: EventLogTail) -> None:
        self._context = context
        self._active = active
        self._tail = tail

    def say(self, step: ExecutionStep, sentence: str, metadata: Mapping[str, Any] | None = None) -> dg.DagsterEvent:
        """News that change nothing."""
        data = EngineEventData(metadata=metadata or {})
        return self._tail.own(DagsterEvent.engine_event(self._of(step), sentence, data))

    def place(self, step: ExecutionStep, sentence: str, metadata: Mapping[str, Any]) -> dg.DagsterEvent:
        """Where a step is going to run, and why."""
        return self._tail.own(DagsterEvent.step_worker_starting(self._of(step), sentence, metadata))

    def start(self, step: ExecutionStep) -> dg.DagsterEvent:
        """The one start of a step of many partitions."""
        return self._tail.own(DagsterEvent.step_start_event(self._of(step)))

    def succeed(self, step: ExecutionStep, outputs: Sequence[str], seconds: float) -> Events:
        """The end of a step that its own process does not tell."""
        for name in outputs:
            yield self._decide(self._output(step, name))
        data = _untyped(StepSuccessData)(seconds * 1000)
        yield self._decide(DagsterEvent.step_success_event(self._of(step), data))

    def fail(self, step: ExecutionStep, sentence: str) -> dg.DagsterEvent:
        """A failure that cannot be repaired by trying again."""
        description = _untyped(UserFailureData)("StepEnded", sentence)
        data = _untyped(StepFailureData)(_error(sentence), description)
        return self._decide(DagsterEvent.step_failure_event(self._of(step), data))

    def retry(self, step: ExecutionStep, sentence: str, delay: float) -> dg.DagsterEvent:
        data = _untyped(StepRetryData)(_error(sentence), delay)
        return self._decide(DagsterEvent.step_retry_event(self._of(step), data))

    def skip(self, step: ExecutionStep, sentence: str) -> Events:
        """Lets the run go on without a step: downstream reads what the namespace showed before, and a check says so."""
        for node in asset_nodes_of(self._context, step):
            evaluation = dg.AssetCheckEvaluation(
                asset_key=node.key,
                check_name=COMPUTED_CHECK,
                passed=False,
                metadata={"reason": dg.MetadataValue.text(sentence)},
                severity=dg.AssetCheckSeverity.WARN,
                description=f"Downstream goes on with the version before: {sentence}",
            )
            yield self._decide(DagsterEvent.asset_check_evaluation(self._of(step), evaluation))
        yield from self.succeed(step, [output.name for output in step.step_outputs], 0.0)

    def retry_delay(self, step: ExecutionStep, tries: int) -> float | None:
        """Seconds until a step that has failed after `tries` earlier tries is tried again; None when it is not."""
        context = self._of(step)
        policy = context.op_retry_policy
        if policy is None or context.retry_mode.disabled or tries >= policy.max_retries:
            return None
        return float(policy.calculate_delay(tries + 1))

    def _output(self, step: ExecutionStep, name: str) -> dg.DagsterEvent:
        checked = _untyped(TypeCheckData)(success=True, label=name)
        data = StepOutputData(StepOutputHandle(step.key, name), checked)
        message = f'The output "{name}" is there.'
        return DagsterEvent.from_step(dg.DagsterEventType.STEP_OUTPUT, self._of(step), data, message)

    def _of(self, step: ExecutionStep) -> IStepContext:
        return self._context.for_step(step)

    def _decide(self, event: dg.DagsterEvent) -> dg.DagsterEvent:
        self._active.handle_event(event)
        return self._tail.own(event)


def _error(sentence: str) -> SerializableErrorInfo:
    return SerializableErrorInfo(sentence, [], "StepEnded")


def _untyped(kind: Any) -> Any:
    """For constructors without annotations."""
    return kind
