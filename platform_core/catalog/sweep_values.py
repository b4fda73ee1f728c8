"""What the catalog keeps of a sweep: what was asked, and how each trial ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["done", "stopped", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class Sweep:
    """An asset that is computed many times with other parameters.

    Args:
        request: what was asked, as `platform_core.trials.request` writes it.
    """

    id: str
    namespace: str
    asset: str
    partition: str
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trial:
    """How one trial of a sweep ended.

    `done`: it has a value. `stopped`: it was ended early, as others had done better by then. `refused`: its checks did
    not pass. `failed`: it raised, crashed or took too long.

    Args:
        number: counted from 1, in the order of the request.
        reports: of the metric of the sweep, each step that it told and the number.
        version: of its value; empty where there is none.
    """

    sweep: str
    number: int
    state: State
    parameters: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)
    reports: tuple[tuple[int, float], ...] = ()
    sentence: str = ""
    version: str | None = None
