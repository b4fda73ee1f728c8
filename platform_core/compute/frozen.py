"""In which environment a step runs: planned before it starts, and told to its process, which holds itself to it."""

from dataclasses import replace

from platform_core.compute.placement import ComputeTable, Placement
from platform_core.environments.environment import environment_of
from platform_core.environments.frozen import is_here
from platform_core.environments.lock import Lock
from platform_core.environments.project import project_of
from platform_core.environments.venvs import planned_interpreter
from platform_core.errors import DefinitionError
from platform_core.settings import Settings


def in_environment(placement: Placement, location: str, table: ComputeTable, settings: Settings) -> Placement:
    """A placement with the environment that its step is planned for, and elsewhere with the image of it.

    Raises:
        DefinitionError: an image that could be another one tomorrow, in production; or that its backend cannot use.
        FrozenError: an extra that the location does not have.
    """
    compute = placement.compute
    if compute.image is not None:
        _require_container(placement, location)
        require_digest(compute.image, f"A step of {location}", settings)
        return placement
    if not is_frozen(location, settings) and not compute.extras:
        return placement  # code outside of a location, as in a notebook or a test
    if placement.backend == "local":
        return replace(placement, environment=environment_of(location, compute.extras).plan)
    if table.images is None:
        return placement
    image, environment = table.images(location, compute.extras)
    _require_registry(image, placement, location)
    return replace(placement, compute=replace(compute, image=image, extras=()), environment=environment)


def interpreter_of(placement: Placement) -> str:
    """The interpreter of the environment that a step on this machine runs in; empty where it is this process's own.

    It need not be there yet: the server of its steps makes it.
    """
    if not placement.compute.extras or is_here(placement.environment):
        return ""
    return str(planned_interpreter(placement.environment))


def is_frozen(location: str, settings: Settings) -> bool:
    return (settings.repository / "code_locations" / location / "uv.lock").is_file()


def require_digest(image: str, who: str, settings: Settings) -> None:
    """In production an image is named by digest: a tag may be moved.

    Args:
        who: asks for it, as the beginning of a sentence.
    """
    if settings.writes_to.is_production and (problem := movable(image, who)):
        raise DefinitionError(problem)


def movable(image: str | None, who: str) -> str:
    """A sentence about an image that may be another one tomorrow; nothing about one that is named by digest."""
    if image is None or "@sha256:" in image:
        return ""
    return (
        f"{who} asks for the image {image}, which may be another one tomorrow: in production, name it by digest, as in"
        f" {_repository(image)}@sha256:..., which `docker pull {image}` prints."
    )


def _repository(image: str) -> str:
    """The name of an image without its tag. A colon before the last slash is that of a port."""
    folder, slash, name = image.rpartition("/")
    return f"{folder}{slash}{name.partition(':')[0]}"


def _require_container(placement: Placement, location: str) -> None:
    if placement.backend == "local":
        raise DefinitionError(
            f"A step of {location} asks for the image {placement.compute.image}, and steps on this machine run in no"
            ' image: name where it is to run too, such as backend="container", or use extras instead.'
        )


def _require_registry(image: str, placement: Placement, location: str) -> None:
    """An image without a name is there for the engine that built it, and for nobody else."""
    if image.startswith("sha256:") and placement.backend != "container":
        raise DefinitionError(
            f"The image of {location} was built and not pushed, so that {placement.backend} cannot fetch it: run"
            f" headrace image build {location} --push"
        )


def require_hashes(location: str, settings: Settings) -> None:
    """Refuses a location in whose lock anything could be installed in the place of a file.

    Raises:
        FrozenError: with the packages.
    """
    if is_frozen(location, settings):
        Lock(project_of(location).lock).require_hashes()


def require_extras(location: str, extras: tuple[str, ...]) -> None:
    """Refuses extras that a location does not have.

    Raises:
        FrozenError: with those that it has.
    """
    if extras:
        project_of(location).normalised(extras)
