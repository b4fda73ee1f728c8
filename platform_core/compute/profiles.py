"""What the platform team offers: profiles, with limits and defaults."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from platform_core.compute.quantities import as_bytes, as_seconds, duration_text, size_text
from platform_core.compute.spec import BackendName, Compute
from platform_core.errors import DefinitionError, listed

_LEFT_OPEN = ("memory", "disk", "timeout", "extras", "image")  # what a step may leave to its profile


@dataclass(frozen=True)
class Limits:
    """The most that one step may ask for; None is no limit."""

    cpu: float | None = None
    memory: str | int | None = None
    gpu: int | None = None
    disk: str | int | None = None
    timeout: str | float | None = None

    @property
    def memory_bytes(self) -> int | None:
        return None if self.memory is None else as_bytes(self.memory)

    def broken_by(self, compute: Compute) -> list[str]:
        """What of a compute goes beyond the limits, as phrases such as `64 cpu of at most 16`."""
        disk = None if self.disk is None else as_bytes(self.disk)
        timeout = None if self.timeout is None else as_seconds(self.timeout)
        asked: list[tuple[float | None, float | None, Callable[[float], str], str]] = [
            (compute.cpu, self.cpu, lambda n: f"{n:g}", " cpu"),
            (compute.memory_bytes, self.memory_bytes, size_text, " of memory"),
            (compute.gpu, self.gpu, str, " gpu"),
            (compute.disk_bytes, disk, size_text, " of disk"),
            (compute.timeout_seconds, timeout, duration_text, ""),
        ]
        return [
            f"{text(need)}{unit} of at most {text(most)}"
            for need, most, text, unit in asked
            if most is not None and need is not None and need > most
        ]

    def and_those_of(self, other: "Limits") -> "Limits":
        """The narrower of the two in everything."""
        pairs = {name: (getattr(self, name), getattr(other, name)) for name in vars(self)}
        measure = {"memory": as_bytes, "disk": as_bytes, "timeout": as_seconds}
        narrower = {
            name: min((value for value in pair if value is not None), key=measure.get(name, float), default=None)
            for name, pair in pairs.items()
        }
        return Limits(**narrower)


@dataclass(frozen=True)
class Profile:
    """A kind of machine by name, behind which node selectors and queues stay the platform team's own business.

    Args:
        description: what it is for, in a phrase for data scientists.
        backend: where steps of this profile run. None: the deployment decides.
        limits: the most that a step may ask for.
        defaults: for what a step leaves open: its memory, disk, timeout, extras or image.
        options: what only the backend understands, such as a node selector; each backend says what it takes.
        variables: environment variables that steps get, which anybody may see.
        secrets: variables that steps get without anybody seeing their values: for each, where the backend finds it
            (for Kubernetes `secret-name/key`, for Batch an ARN); an empty text takes it from the run worker's own.
        price_per_cpu_hour: what one processor costs for an hour, in whatever currency you count; None: nobody knows.
        price_per_gpu_hour: the same of one GPU, besides.

    Raises:
        DefinitionError: a default for something that has a value in every step.
    """

    description: str = ""
    backend: BackendName | None = None
    limits: Limits = Limits()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    price_per_cpu_hour: float | None = None
    price_per_gpu_hour: float = 0.0

    def price_per_hour(self, compute: Compute) -> float | None:
        """What a step costs for an hour; None where the profile has no price."""
        if self.price_per_cpu_hour is None:
            return None
        return compute.cpu * self.price_per_cpu_hour + compute.gpu * self.price_per_gpu_hour

    def __post_init__(self) -> None:
        for name in self.defaults:
            if name not in _LEFT_OPEN:
                raise DefinitionError(f"A profile cannot give a default for {name}; it can for {listed(_LEFT_OPEN)}.")
