"""Which backend a step is placed on, of those that a deployment offers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from platform_core.compute.backends.backend import Backend
from platform_core.compute.profiles import Profile
from platform_core.compute.spec import BACKENDS, BackendName, Compute
from platform_core.errors import DefinitionError, did_you_mean, listed


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
    backends: Mapping[BackendName, Callable[[], Backend]] = field(default_factory=dict)
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
