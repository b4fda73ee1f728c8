"""Logs as lines of JSON where HEADRACE_LOGS=json, each with the namespace, run, step and asset that it is about."""

import json
import logging
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from platform_core.settings import current_settings

MODULE = "platform_core.logged"
VARIABLE = "HEADRACE_LOGS"
ASSET = "HEADRACE_LOG_ASSET"  # what people call the step that a process was started for
_DECISIONS = "headrace.access"  # whose messages are lines of JSON already
_OF_LOGGING = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "dagster_meta"}
_about: dict[str, str | None] = {"run": None, "step": None, "asset": None, "partition": None}


def is_json() -> bool:
    return current_settings().logs == "json"


def about(**facts: str | None) -> None:
    """Says what this process is busy with from now on: a run, its step, the asset and partition of that."""
    _about.update(facts)


def configure() -> None:
    """Lets every handler of this process that writes to a stream write lines of JSON, if that was asked for.

    Whatever library makes the handler, and whenever: Dagster, uvicorn and others each configure their own. Files that
    somebody logs to keep their format.
    """
    if not is_json() or logging.StreamHandler.format is _formatted:
        return
    logging.StreamHandler.format = _formatted  # type: ignore[method-assign, assignment]
    logging.captureWarnings(True)
    sys.excepthook = _tell_crash


def _formatted(self: "logging.StreamHandler[Any]", record: logging.LogRecord) -> str:
    plain = isinstance(self, logging.FileHandler)
    return logging.Handler.format(self, record) if plain else line_of(record)


def line_of(record: logging.LogRecord) -> str:
    """A record as one line of JSON."""
    meta: dict[str, Any] = getattr(record, "dagster_meta", None) or {}
    message = str(meta.get("orig_message") or record.getMessage())
    line: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": message,
        "namespace": current_settings().namespace,
        **_where(meta),
    }
    if record.exc_info and record.exc_info[0]:
        line["error"] = logging.Formatter().formatException(record.exc_info)
    line |= {name: value for name, value in vars(record).items() if name not in _OF_LOGGING and name not in line}
    if record.name == _DECISIONS:
        line |= json.loads(message) | {"message": "decision"}
    return json.dumps(line, default=str)


def _where(meta: dict[str, Any]) -> dict[str, str | None]:
    """What a record is about: what Dagster notes on it comes before what this process is busy with."""
    step = meta.get("step_key") or _about["step"]
    asset = (_about["asset"] or os.environ.get(ASSET)) if step == _about["step"] else None
    named = asset or (step.replace("__", "/") if step else None)
    return {**_about, "run": meta.get("run_id") or _about["run"], "step": step, "asset": named}


def _tell_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    tell("critical", f"{kind.__name__}: {error}", (kind, error, trace))


def tell(level: str, sentence: str, error: Any = None) -> None:
    """Writes one line to standard error, whatever handlers there are."""
    number = logging.getLevelNamesMapping()[level.upper()]
    record = logging.LogRecord("headrace", number, "", 0, sentence, None, error)
    print(line_of(record), file=sys.stderr, flush=True)


def logged(command: Sequence[str]) -> list[str]:
    """A command `python -m MODULE ...` whose process logs as was asked for; any other is as it was."""
    if not is_json() or list(command[1:2]) != ["-m"] or command[2] == MODULE:
        return list(command)
    return [command[0], "-m", MODULE, *command[2:]]
