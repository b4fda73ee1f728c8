"""What the platform team offers: profiles with limits, and which backend a step is placed on."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from platform_core.compute.quantities import as_bytes, as_seconds, duration_text, size_text
from platform_core.compute.spec import BACKENDS, BackendName, Compute
from platform_core.errors import DefinitionError, did_you_mean, listed

if TYPE_CHECKING:
    from platform_core.compute.backends.backend import Backend


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


@dataclass(frozen=True)
class Placement:
    """Where a step runs, with what, and why there.

    `environment` is what its process is told in `HEADRACE_ENVIRONMENT`; empty where an image was named by hand.
    """

    backend: BackendName
    compute: Compute
    profile: Profile
    reason: str
    environment: str = ""


@dataclass(frozen=True)
class ComputeTable:
    """What a deployment offers: its default backend, its profiles by name, and how each backend is made.

    `backends` are made when a run first needs them: definitions load without credentials or network. `images` gives
    what steps elsewhere run in when their Compute names no image: by location and extras an image, and the environment
    in it as `HEADRACE_ENVIRONMENT` has it. Without it, the image that the backend was made with is taken.
    """

    default: BackendName = "local"
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    backends: Mapping[BackendName, Callable[[], "Backend"]] = field(default_factory=dict)
    images: Callable[[str, Iterable[str]], tuple[str, str]] | None = None

    def place(self, compute: Compute, asset: str) -> Placement:
        """Decides where a step runs.

        Raises:
            DefinitionError: the profile is unknown, its limits are broken, or nothing here is such a backend.
        """
        profile = self._profile(compute, asset)
        backend, reason = self._backend(compute, profile)
        if backend not in self._known:
            raise DefinitionError(
                f"{asset} wants to run on the backend {backend} ({reason}), which this deployment does not have;"
                f" it has: {listed(self._known)}."
            )
        filled = _filled(compute, profile)
        if broken := profile.limits.broken_by(filled):
            name = f"the profile '{compute.profile}'" if compute.profile else "this deployment"
            raise DefinitionError(f"{asset} asks for more than {name} gives: {listed(broken)}.")
        return Placement(backend, filled, profile, reason)

    @property
    def _known(self) -> list[BackendName]:
        return ["local", *(name for name in self.backends if name != "local")]

    def _profile(self, compute: Compute, asset: str) -> Profile:
        name = compute.profile or "default"
        if name in self.profiles or compute.profile is None:
            return self.profiles.get(name, Profile())
        known = [known for known in self.profiles if known != "default"]
        raise DefinitionError(
            f"{asset} asks for the profile '{name}', which does not exist; there are: {listed(known) or 'none'}."
            f"{did_you_mean(name, known)}"
        )

    def _backend(self, compute: Compute, profile: Profile) -> tuple[BackendName, str]:
        if compute.backend is not None and profile.backend not in (None, compute.backend):
            named = f"profile='{compute.profile}', " if compute.profile else ""
            such = "of that profile" if compute.profile else "without a profile"
            raise DefinitionError(
                f"Compute({named}backend='{compute.backend}'): steps {such} run on {profile.backend};"
                " leave the backend out."
            )
        if compute.backend is not None:
            return compute.backend, "the asset says so"
        if profile.backend is not None and compute.profile is not None:
            return profile.backend, f"the profile '{compute.profile}' says so"
        return profile.backend or self.default, "the deployment's default"


def a_backend(name: str) -> BackendName:
    """A backend by its name.

    Raises:
        ValueError: there is none.
    """
    for known in BACKENDS:
        if name == known:
            return known
    raise ValueError(f"'{name}' is no backend; there are: {', '.join(BACKENDS)}.")


def _filled(compute: Compute, profile: Profile) -> Compute:
    """The compute with the profile's defaults for what it leaves at none. An environment is filled in as a whole."""
    has_environment = bool(compute.image or compute.extras)
    left_open = {
        name: value
        for name, value in profile.defaults.items()
        if getattr(compute, name) in (None, ()) and not (has_environment and name in ("image", "extras"))
    }
    return replace(compute, **left_open)
