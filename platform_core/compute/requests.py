"""What another process needs to know to execute one step of a run, or one partition of it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from platform_core.dagster_internals import (
    ExecutionStep,
    InstanceRef,
    KnownExecutionState,
    PlanOrchestrationContext,
    RetryMode,
    deserialize_value,
    serialize_value,
)


@dataclass(frozen=True)
class StepRequest:
    """A step to execute.

    Args:
        known: what is known of the run so far, as Dagster serializes it.
        retries: the mode of retries that the step's process obeys.
        instance: how to reach the Dagster instance; empty where the process has it already.
        partition: the only one to execute, where the partitions of the step run side by side.
        tags: the tags of the run, with that partition alone, where there is one.
        is_skippable: whether the run goes on when the step fails, so that its failure is not the process's to tell.
    """

    run: str
    step: str
    known: str
    retries: str
    instance: str = ""
    partition: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    is_skippable: bool = False

    def to_text(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value})

    @classmethod
    def from_text(cls, text: str) -> "StepRequest":
        return cls(**json.loads(text))

    @property
    def known_state(self) -> KnownExecutionState:
        return deserialize_value(self.known, KnownExecutionState)

    @property
    def retry_mode(self) -> RetryMode:
        return RetryMode(self.retries)


def make_request(
    context: PlanOrchestrationContext, step: ExecutionStep, known: KnownExecutionState, retries: RetryMode, **more: Any
) -> StepRequest:
    """The request for a step of a run, with `more` fields of `StepRequest`."""
    instance = context.instance
    return StepRequest(
        run=context.run_id,
        step=step.key,
        known=serialize_value(_known_to(step, known)),
        retries=retries.for_inner_plan().value,
        instance=serialize_value(instance.get_ref()) if instance.is_persistent else "",
        **more,
    )


def instance_of(request: StepRequest) -> InstanceRef | None:
    return deserialize_value(request.instance, InstanceRef) if request.instance else None


def _known_to(step: ExecutionStep, known: KnownExecutionState) -> KnownExecutionState:
    """The part of what is known that a step needs: all of it would grow with the run, for each of its steps."""
    upstream = {key for step_input in step.step_inputs for key in step_input.dependency_keys}
    return known._replace(
        previous_retry_attempts={key: n for key, n in known.previous_retry_attempts.items() if key == step.key},
        ready_outputs={handle for handle in known.ready_outputs if handle.step_key in upstream},
    )
