"""What is asked of a sweep: which parameters differ, how their values are chosen, when a trial is ended early."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import prod
from typing import Any, Literal

import yaml

from platform_core.errors import NotFoundError

Kind = Literal["choice", "int", "float"]
Sampler = Literal["grid", "random", "tpe"]
Stop = Literal["", "median", "halving", "hyperband"]
MOST = 100_000  # trials of one sweep


@dataclass(frozen=True, slots=True)
class Axis:
    """One parameter of a sweep: a `choice` among values, or a range of whole or any numbers, both ends included."""

    name: str
    kind: Kind = "choice"
    values: tuple[Any, ...] = ()
    low: float = 0
    high: float = 0
    log: bool = False

    @property
    def some(self) -> tuple[Any, ...]:
        """The values by which it is seen whether the parameter takes what is asked: all, or the ends of the range."""
        return self.values if self.kind == "choice" else (self.low, self.high)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked.

    Args:
        count: of trials.
        fixed: parameters that all trials have in common.
        inputs: by parameter the version to read, as `ASSET@VERSION`.
        metric: by which trials are compared; empty where nothing compares them.
        stop: the rule by which a trial is ended that others did better than at the same step.
        timeout: seconds that one trial may take.
        parallel: trials at once; None: what the machine, or the backend, takes.
        isolated: whether each trial gets a process of its own.
        code_version: of the asset when the sweep began, as trials of different code cannot be compared.
    """

    axes: tuple[Axis, ...]
    sampler: Sampler = "grid"
    count: int = 0
    seed: int = 0
    fixed: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    metric: str = ""
    maximize: bool = True
    stop: Stop = ""
    timeout: float | None = None
    parallel: int | None = None
    isolated: bool = False
    code_version: str = ""

    def to_plain(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_plain(cls, given: Mapping[str, Any]) -> "Request":
        axes = tuple(Axis(**{**axis, "values": tuple(axis["values"])}) for axis in given["axes"])
        return cls(**{**given, "axes": axes})


def choice(text: str) -> Axis:
    """`depth=2,4,8` as an axis; each value is YAML.

    Raises:
        NotFoundError: it is no such text.
    """
    name, rest = _named(text, "NAME=VALUE,VALUE,...")
    try:
        values = yaml.safe_load(f"[{rest}]")
    except yaml.YAMLError as error:
        raise NotFoundError(f"'{text}' should be NAME=VALUE,VALUE,...") from error
    if not values:
        raise NotFoundError(f"'{text}' has no value; write NAME=VALUE,VALUE,...")
    return Axis(name, "choice", tuple(values))


def span(kind: Kind, text: str) -> Axis:
    """`lr=0.01:1:log` as an axis: from, to, and `log` where factors count rather than differences.

    Raises:
        NotFoundError: it is no such text.
    """
    shape = "NAME=FROM:TO or NAME=FROM:TO:log"
    name, rest = _named(text, shape)
    low, _, others = rest.partition(":")
    high, _, log = others.partition(":")
    try:
        ends = [int(end) if kind == "int" else float(end) for end in (low, high)]
    except ValueError as error:
        raise NotFoundError(f"'{text}' should be {shape}, with numbers.") from error
    if ends[0] >= ends[1] or log not in ("", "log") or (log and ends[0] <= 0):
        raise NotFoundError(f"'{text}' should be {shape}, from the smaller to the larger, and above zero for log.")
    return Axis(name, kind, (), ends[0], ends[1], log == "log")


def make_request(axes: Sequence[Axis], sampler: Sampler, count: int | None, **more: Any) -> Request:
    """The request of these axes.

    Raises:
        NotFoundError: they do not go together.
    """
    names = [axis.name for axis in axes]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise NotFoundError(f"The parameter {twice[0]} is given twice; give all its values at once.")
    if not axes:
        raise NotFoundError("Nothing differs between the trials; give --grid, --int or --float.")
    if sampler == "grid":
        if ranges := [axis.name for axis in axes if axis.kind != "choice"]:
            raise NotFoundError(f"A grid has no values between the ends of {ranges[0]}; add --random N or --trials N.")
        count = prod(len(axis.values) for axis in axes)
    elif not count:
        raise NotFoundError(f"How many trials? Say so with --{'random' if sampler == 'random' else 'trials'} N.")
    request = Request(tuple(axes), sampler, count, **more)
    if (sampler == "tpe" or request.stop) and not request.metric:
        raise NotFoundError("By which metric shall trials be judged? Name it with --metric.")
    if count > MOST:
        raise NotFoundError(
            f"These are {count:,} trials, more than the {MOST:,} of one sweep; take --random N of them."
        )
    return request


def _named(text: str, shape: str) -> tuple[str, str]:
    name, separator, rest = text.partition("=")
    if not (name and separator and rest):
        raise NotFoundError(f"'{text}' should be {shape}.")
    return name.strip(), rest
