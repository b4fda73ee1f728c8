"""Errors as Dagster keeps them in its events."""

from typing import Any

from platform_core.dagster_internals import DagsterEvent, SerializableErrorInfo, serializable_error_info_from_exc_info


def error_info(error: Exception) -> SerializableErrorInfo:
    """An error as Dagster keeps it."""
    told: Any = (type(error), error, error.__traceback__)
    return serializable_error_info_from_exc_info(told)


def error_of(event: DagsterEvent | None) -> SerializableErrorInfo | None:
    """Why a step failed, or is tried again; None of other events."""
    if event is not None and event.is_step_failure:
        return event.step_failure_data.error
    if event is not None and event.is_step_up_for_retry:
        return event.step_retry_data.error
    return None


def root_cause(error: SerializableErrorInfo) -> SerializableErrorInfo:
    """The last cause, which is the team's own."""
    while error.cause is not None:
        error = error.cause
    return error


def in_a_line(error: SerializableErrorInfo) -> str:
    """What its last cause says first."""
    cause = root_cause(error)
    return (cause.message.strip().splitlines() or [str(cause.cls_name)])[0]
