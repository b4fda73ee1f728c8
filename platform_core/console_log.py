"""What a run prints: the messages of the team's code. Dagster's own events are in the event log, which the UI shows."""

import logging

import dagster as dg


class _OfCode(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return _about(record).get("dagster_event") is None


class _Short(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        about = _about(record)
        step = str(about.get("step_key") or "").replace("__", "/")
        return f"{step} {record.levelname.lower()}: {about.get('orig_message', record.getMessage())}"


def _about(record: logging.LogRecord) -> dict[str, object]:
    """Dagster's notes on a record, which has none before a run."""
    return getattr(record, "dagster_meta", {})


def _console_log(_context: dg.InitLoggerContext) -> logging.Logger:
    handler = logging.StreamHandler()
    handler.addFilter(_OfCode())
    handler.setFormatter(_Short())
    logger = logging.Logger("headrace", level=logging.INFO)
    logger.addHandler(handler)
    return logger


console_log = dg.LoggerDefinition(_console_log, description="Messages logged by the code of assets, one line each.")
