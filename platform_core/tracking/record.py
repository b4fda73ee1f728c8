"""What a function logs while it computes a value: metrics, parameters and figures, which are kept with the version.

    def model(features: pl.DataFrame) -> Any:
        log_params(depth=4)
        log_metric("roc_auc", 0.81)
        log_figure("roc", figure)

Called where no step runs, as in a test or a notebook, they do nothing. They need no context, and know no Dagster.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, SupportsFloat

from platform_core.errors import UnsupportedValueError
from platform_core.store.figures import picture_of

MOST_POINTS = 1_000  # of a series; of a longer one every second is kept, then every fourth …
OWN = "headrace/"

Plain = str | int | float | bool | None


@dataclass
class Record:
    """What was logged of one value. Figures are PNG or SVG.

    Args:
        listener: told of each step of a metric; may raise to end the computation.
    """

    metrics: dict[str, float | str] = field(default_factory=dict)
    parameters: dict[str, Plain] = field(default_factory=dict)
    series: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    figures: dict[str, bytes] = field(default_factory=dict)
    listener: Callable[[str, float, int], None] | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.metrics or self.parameters or self.figures)


_current: ContextVar[Record | None] = ContextVar("headrace_record", default=None)
_open: list[Record] = []  # threads that a function starts have no context of it


@contextmanager
def recording(record: Record | None = None) -> Iterator[Record]:
    """Takes what is logged inside."""
    record = record or Record(listener=_listener.get())
    token = _current.set(record)
    _open.append(record)
    try:
        yield record
    finally:
        _open.remove(record)
        _current.reset(token)


def hear() -> Record:
    """Takes what is logged in this process from now on, whatever calls it."""
    record = Record()
    _open.append(record)
    return record


def retell(record: Record) -> None:
    """Logs once more, for whoever listens here, what was logged elsewhere."""
    here = _record()
    if here is None:
        return
    here.parameters |= record.parameters
    here.figures |= record.figures
    here.series |= record.series
    here.metrics |= record.metrics


_listener: ContextVar[Callable[[str, float, int], None] | None] = ContextVar("headrace_listener", default=None)


@contextmanager
def listening(listener: Callable[[str, float, int], None]) -> Iterator[None]:
    """Tells a listener of every metric that is logged with a step inside."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def _record() -> Record | None:
    """The record of this function; of a thread without a context, the only one that is open."""
    record = _current.get()
    return _open[0] if record is None and len(_open) == 1 else record


def log_metric(name: str, value: SupportsFloat, *, step: int | None = None, segment: str | None = None) -> None:
    """Keeps a number with the version.

    Args:
        step: such as the epoch: the numbers of all steps are kept as a series, and the last is the metric.
        segment: a part of the data, such as `origin=JFK`; the metric is called `name[segment]`.
    """
    record = _record()
    _require_name(name)
    if record is None:
        return
    number = _number(name, value)
    full = f"{name}[{segment}]" if segment else name
    record.metrics[full] = number if math.isfinite(number) else str(number)
    if step is not None:
        _append(record.series.setdefault(full, []), step, number)
        if record.listener is not None:
            record.listener(full, number, step)


def log_params(given: Mapping[str, Any] | None = None, /, **more: Any) -> None:
    """Keeps with the version what it was computed with: numbers and texts by name, nested ones as `outer.inner`."""
    record = _record()
    if record is not None:
        record.parameters |= flat({**(given or {}), **more})


def log_figure(name: str, figure: Any) -> None:
    """Keeps a picture with the version: a figure of matplotlib or plotly, the bytes of a PNG, or the text of an SVG."""
    record = _record()
    _require_name(name)
    if record is not None:
        record.figures[name] = picture_of(name, figure)


def flat(given: Mapping[str, Any], prefix: str = "") -> dict[str, Plain]:
    """Nested mappings as one, whatever is no plain value as text."""
    found: dict[str, Plain] = {}
    for key, value in given.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found |= flat(value, f"{name}.")
        else:
            found[name] = plain(value)
    return found


def plain(value: Any) -> Plain:
    """A value as JSON of every database takes it."""
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:  # a number of numpy
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise UnsupportedValueError(
            f"The metric {name} is {value!r}, which is no number; log it with log_params."
        ) from error


def _require_name(name: str) -> None:
    if not name or name.startswith(OWN):
        raise UnsupportedValueError(f"'{name}' cannot be the name of what is logged; choose another one.")


def _append(series: list[tuple[int, float]], step: int, number: float) -> None:
    series.append((step, number))
    if len(series) > MOST_POINTS:
        del series[1::2]
