"""`Compute`: what a step needs, said where the asset is declared."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, Literal, get_args

from platform_core.compute.quantities import as_bytes, as_seconds, duration_text, size_text
from platform_core.errors import DefinitionError

BackendName = Literal["local", "container", "kubernetes", "batch"]
BACKENDS: tuple[BackendName, ...] = get_args(BackendName)
COMPUTE_TAG = "headrace/compute"  # on the step, so that it holds however the run was launched


@dataclass(frozen=True)
class Compute:
    """What a step needs, and what to do when it does not get through.

    Args:
        cpu: processors; a fraction is a share of one.
        memory: such as `32GiB`; a step that takes more is ended. None: whatever the backend gives.
        gpu: whole GPUs.
        disk: scratch space such as `100GiB`, for backends that can promise it.
        timeout: such as `2h`, counted from the start of the step and not from its launch; the step is ended whatever
            it is doing.
        retries: how often the step is started again after it failed or ran out of time by its own fault.
        retry_delay: the pause before the first of them; each further one is twice as long.
        infrastructure_retries: how often it is started again after its machine, and not its code, failed: evicted,
            reclaimed, lost. A step ended for its memory counts here too and gets twice the memory each time, as far
            as limits allow.
        on_failure: `skip` lets downstream go on with what the namespace showed before; a check says so.
        extras: extras of the location's lock file to run with.
        image: the image to run with instead of the location's own, by digest.
        backend: where to run. None: the profile, or else the deployment, decides.
        profile: a name that the platform team defines in `resources/compute.py`.

    Raises:
        DefinitionError: a need that nothing can meet.
    """

    cpu: float = 1
    memory: str | int | None = None
    gpu: int = 0
    disk: str | int | None = None
    timeout: str | float | None = None
    retries: int = 0
    retry_delay: str | float = "5s"
    infrastructure_retries: int = 3
    on_failure: Literal["fail", "skip"] = "fail"
    extras: tuple[str, ...] = ()
    image: str | None = None
    backend: BackendName | None = None
    profile: str | None = None

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise DefinitionError(f"Compute({problem}.")

    @property
    def memory_bytes(self) -> int | None:
        return None if self.memory is None else as_bytes(self.memory)

    @property
    def disk_bytes(self) -> int | None:
        return None if self.disk is None else as_bytes(self.disk)

    @property
    def timeout_seconds(self) -> float | None:
        return None if self.timeout is None else as_seconds(self.timeout)

    @property
    def retry_delay_seconds(self) -> float:
        return as_seconds(self.retry_delay)

    def with_twice_the_memory(self, most: int | None) -> "Compute | None":
        """The same with more memory, at most `most` bytes; None when it has the most already."""
        if self.memory_bytes is None:
            return None
        more = min(self.memory_bytes * 2, most or self.memory_bytes * 2)
        return replace(self, memory=more) if more > self.memory_bytes else None

    def to_text(self) -> str:
        """JSON of everything that differs from the default, fit for a tag."""
        said = {field.name: value for field in fields(self) if (value := getattr(self, field.name)) != field.default}
        return json.dumps(said)

    @classmethod
    def from_text(cls, text: str) -> "Compute":
        return _from_text(text)

    def __str__(self) -> str:
        """For people: `4 cpu, 8 GiB, 1 gpu, at most 2 h`."""
        parts = [f"{self.cpu:g} cpu"]
        parts += [size_text(self.memory_bytes)] if self.memory_bytes else []
        parts += [f"{self.gpu} gpu"] if self.gpu else []
        parts += [f"{size_text(self.disk_bytes)} of disk"] if self.disk_bytes else []
        parts += [f"at most {duration_text(self.timeout_seconds)}"] if self.timeout_seconds else []
        return ", ".join(parts)


@lru_cache(maxsize=1024)  # most assets of a location share a few
def _from_text(text: str) -> Compute:
    said = json.loads(text)
    return Compute(**said | {"extras": tuple(said.get("extras", ()))})


def compute_of(tags: Mapping[str, str]) -> Compute:
    """The compute that a step's tags carry; the default where they carry none."""
    text = tags.get(COMPUTE_TAG)
    return Compute.from_text(text) if text else Compute()


Check = Callable[[Any], str]  # why a value cannot be; nothing when it can


def _problems(compute: Compute) -> list[str]:
    found = [problem for name, check in _CHECKS.items() if (problem := _refusal(name, getattr(compute, name), check))]
    if compute.image is not None and compute.extras:
        found.append("image=..., extras=...): an image is an environment of its own; drop one of the two")
    return found


def _refusal(name: str, value: Any, check: Check) -> str | None:
    try:
        reason = check(value)
    except ValueError as error:
        reason = str(error)
    return f"{name}={value!r}): {reason}" if reason else None


def _above_zero(value: Any) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return "" if number and 0 < value < float("inf") else "it must be a number above zero"


def _whole(value: Any) -> str:
    return "" if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else "it must be a whole number"


def _read_by(read: Callable[[Any], float]) -> Check:
    def check(value: Any) -> str:
        if value is not None:
            read(value)
        return ""

    return check


def _one_of(*known: Any) -> Check:
    return lambda value: "" if value in known else f"it must be one of {', '.join(map(str, known))}"


def _name(value: Any) -> str:
    return "" if value is None or (isinstance(value, str) and value) else "it must be a name"


def _names(value: Any) -> str:
    named = isinstance(value, tuple) and all(isinstance(name, str) and name for name in value)
    return "" if named else 'it must be a tuple of names, such as ("train",)'


_CHECKS: Mapping[str, Check] = {
    "cpu": _above_zero,
    "memory": _read_by(as_bytes),
    "gpu": _whole,
    "disk": _read_by(as_bytes),
    "timeout": _read_by(as_seconds),
    "retries": _whole,
    "retry_delay": _read_by(as_seconds),
    "infrastructure_retries": _whole,
    "on_failure": _one_of("fail", "skip"),
    "extras": _names,
    "image": _name,
    "backend": _one_of(None, *BACKENDS),
    "profile": _name,
}
