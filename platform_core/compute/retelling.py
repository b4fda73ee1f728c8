"""How a process tells of a step whose end is not its own to tell.

Dagster knows one start and one end of a step. Where its partitions run side by side, or where the run goes on when it
fails, what its processes would say of those becomes news that changes nothing, out of which the run worker makes the
one start and the one end. That a step was interrupted is told by whoever did so, who also knows why.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import dagster as dg

from platform_core.compute.requests import StepRequest
from platform_core.dagster_internals import DagsterEvent, EngineEventData
from platform_core.explanation import explain, explain_failure
from platform_core.orchestrator.errors import error_of

OUTCOME = "headrace/outcome"
PARTITION = "headrace/partition"
_OUTPUTS, _DELAY = "headrace/outputs", "headrace/delay"
_KINDS = dg.DagsterEventType
# Of these a step has one, or one for each of its tries, however many partitions it has; or nobody looks for them.
_OF_ONE_STEP = frozenset(
    {
        _KINDS.STEP_START,
        _KINDS.STEP_RESTARTED,
        _KINDS.STEP_WORKER_STARTED,
        _KINDS.STEP_OUTPUT,
        _KINDS.STEP_SUCCESS,
        _KINDS.STEP_UP_FOR_RETRY,
        _KINDS.STEP_FAILURE,
    }
)

Kind = Literal["done", "failed", "retry"]
Retold = Callable[[dg.EventLogEntry], dg.EventLogEntry | None]


@dataclass(frozen=True)
class Outcome:
    """How the process of a step, or of one partition of it, ended.

    Args:
        outputs: names of what it has produced, when it is done.
        delay: seconds until it is to be tried again, for a retry.
        sentence: the reason of a failure.
    """

    kind: Kind
    partition: str = ""
    outputs: Sequence[str] = ()
    delay: float = 0.0
    sentence: str = ""


def outcome_of(event: dg.DagsterEvent) -> Outcome | None:
    """The outcome that an event tells, if it tells one."""
    if not event.is_engine_event or OUTCOME not in event.engine_event_data.metadata:
        return None
    said: dict[str, Any] = {name: value.value for name, value in event.engine_event_data.metadata.items()}
    return Outcome(
        said[OUTCOME], said.get(PARTITION, ""), said.get(_OUTPUTS, ()), said.get(_DELAY, 0.0), event.message or ""
    )


class Retelling:
    """Decides what becomes of each entry of the event log that the process of a request wants to write.

    Args:
        has_limit: whether this process is held to its memory, so that running out of it is not the code's own failure.
    """

    def __init__(self, request: StepRequest, has_limit: bool = False) -> None:
        self.ran_out_of_memory = False
        self._has_limit = has_limit
        self._retold: Retold = (
            _OfPartition(request.partition)
            if request.partition
            else _skippable
            if request.is_skippable
            else lambda entry: entry
        )

    def __call__(self, entry: dg.EventLogEntry) -> dg.EventLogEntry | None:
        reasons = _reasons(entry)
        if dg.DagsterExecutionInterruptedError.__name__ in reasons:
            return None
        if self._has_limit and MemoryError.__name__ in reasons:
            self.ran_out_of_memory = True
            return None
        return self._retold(entry)


def _reasons(entry: dg.EventLogEntry) -> list[str]:
    """The names of the errors behind a failure or another try, the outermost first."""
    error, names = error_of(entry.dagster_event), []
    while error is not None:
        names.append(str(error.cls_name).lstrip("_").removeprefix("Array"))  # NumPy has a kind of its own
        error = error.cause
    return names


def _skippable(entry: dg.EventLogEntry) -> dg.EventLogEntry:
    event = entry.dagster_event
    return _failed(entry, event, "") if event and event.event_type == _KINDS.STEP_FAILURE else entry


class _OfPartition:
    """Remembers what the step has put out, for the one event in which all of it is told."""

    def __init__(self, partition: str) -> None:
        self._partition = partition
        self._outputs: list[str] = []

    def __call__(self, entry: dg.EventLogEntry) -> dg.EventLogEntry | None:
        event = entry.dagster_event
        if event is None or event.event_type not in _OF_ONE_STEP:
            return entry
        match event.event_type:
            case _KINDS.STEP_OUTPUT:
                self._outputs.append(event.step_output_data.output_name)
            case _KINDS.STEP_SUCCESS:
                return self._done(entry, event)
            case _KINDS.STEP_UP_FOR_RETRY:
                return self._again(entry, event)
            case _KINDS.STEP_FAILURE:
                return _failed(entry, event, self._partition)
        return None

    def _again(self, entry: dg.EventLogEntry, event: DagsterEvent) -> dg.EventLogEntry:
        data = event.step_retry_data
        delay = float(data.seconds_to_wait or 0)
        said: dict[str, Any] = {OUTCOME: "retry", PARTITION: self._partition, _DELAY: delay}
        return _as_news(entry, explain(data.error, None), EngineEventData(said, data.error))

    def _done(self, entry: dg.EventLogEntry, event: DagsterEvent) -> dg.EventLogEntry:
        seconds = event.step_success_data.duration_ms / 1000
        said: dict[str, Any] = {OUTCOME: "done", PARTITION: self._partition, _OUTPUTS: self._outputs}
        return _as_news(entry, f"{self._partition} is done after {seconds:.1f} s.", EngineEventData(said))


def _failed(entry: dg.EventLogEntry, event: DagsterEvent, partition: str) -> dg.EventLogEntry:
    data = event.step_failure_data
    news = EngineEventData({OUTCOME: "failed", PARTITION: partition}, data.error)
    return _as_news(entry, explain_failure(data), news)


def _as_news(entry: dg.EventLogEntry, message: str, data: EngineEventData) -> dg.EventLogEntry:
    event: Any = entry.dagster_event
    news = event._replace(event_type_value=_KINDS.ENGINE_EVENT.value, event_specific_data=data, message=message)
    return entry._replace(dagster_event=news, user_message=message)
