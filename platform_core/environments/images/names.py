"""What images are called: `<prefix>/<location>:<environment>-<code>`, so that a name never means two things."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from platform_core.environments.environment import Environment, environment_of, this_platform
from platform_core.environments.images.contents import code_hash

LABEL = "headrace/"
ENVIRONMENT, CODE, LOCATION = f"{LABEL}environment", f"{LABEL}code", f"{LABEL}location"
NAMESPACE, OWNER, EXPIRES, EXTRAS = f"{LABEL}namespace", f"{LABEL}owner", f"{LABEL}expires", f"{LABEL}extras"
LOCK, COMMIT, BASE = f"{LABEL}lock", f"{LABEL}commit", f"{LABEL}base"


class ImageSettings(BaseSettings):
    """How images are named and what they stand on. Empty variables count as not set."""

    model_config = SettingsConfigDict(env_prefix="HEADRACE_", env_ignore_empty=True, frozen=True, extra="ignore")

    images: str = Field(
        default="headrace", description="Registry and folder of all images, such as registry.example.com/headrace."
    )
    image_base: str = Field(
        default="docker.io/library/python:3.11-slim-bookworm",
        description="The image they stand on, or a root file system: a folder, a .tar of one, or a saved image.",
    )
    image_platform: str = Field(
        default_factory=lambda: f"linux-{this_platform().split('-')[1]}",
        description="System and processor that images are for, such as linux-aarch64.",
    )
    image_uv: Path | None = Field(
        default=None, description="A uv for Linux, where this machine's is for another system."
    )
    image_digests: Path | None = Field(
        default=None, description="The file in which builds are noted, from which production takes what to run."
    )


@lru_cache(maxsize=1)
def image_settings() -> ImageSettings:
    return ImageSettings()


def image_of(location: str, extras: Iterable[str] = ()) -> str:
    """The image of a location's environment, with the code as it is now; whether it was built is another question.

    Raises:
        FrozenError: the location has no such environment.
    """
    return planned_image(location, extras)[0]


def planned_image(location: str, extras: Iterable[str]) -> tuple[str, str]:
    """The image of a location's environment, and what a step's process in it is told to find."""
    environment = environment_of(location, extras, platform=image_settings().image_platform)
    return image_name(environment, code_hash(location)), environment.plan


def image_name(environment: Environment, code: str) -> str:
    return f"{image_settings().images.rstrip('/')}/{environment.location}:{environment.hash}-{code}"
