"""Where steps run: the profiles that teams may name, and how each backend of a deployment is made."""

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from platform_core.compute.frozen import require_digest
from platform_core.compute.placement import ComputeTable, a_backend
from platform_core.compute.profiles import Limits, Profile
from platform_core.compute.spec import BackendName
from platform_core.environments.images.digests import image_to_run
from platform_core.errors import SettingsError
from platform_core.settings import current_settings, read_settings

if TYPE_CHECKING:
    from platform_core.compute.backends.backend import Backend

# What a team may write as Compute(profile="..."). "default" is for steps that name none.
PROFILES = {
    "default": Profile("any machine"),
    "large": Profile("few processors, much memory", limits=Limits(cpu=16, memory="256GiB", timeout="24h")),
    "spot": Profile("machines that are cheaper and may be taken away, upon which a step starts again"),
    "gpu": Profile(
        "one to eight GPUs",
        limits=Limits(cpu=96, memory="1TiB", gpu=8, timeout="72h"),
        defaults={"memory": "32GiB"},
    ),
}


class ComputeSettings(BaseSettings):
    """Where the backends of this deployment are. Empty variables count as not set."""

    model_config = SettingsConfigDict(env_prefix="HEADRACE_", env_ignore_empty=True, frozen=True, extra="ignore")

    compute: BackendName = Field(default="local", description="The backend of steps that name none.")
    image: str = Field(
        default="", description="The image of steps that name none, by digest, instead of that of their location."
    )
    container_mounts: tuple[str, ...] = Field(
        default=(), description='Folders that containers see, as JSON: ["/srv/headrace:/srv/headrace"].'
    )
    container_network: str = Field(default="", description="The network of the container engine that steps join.")
    kubernetes_namespace: str = Field(default="default", description="Where Jobs are made.")
    kubernetes_service_account: str = Field(default="", description="Whose rights the pods of steps have.")
    batch_queue: str = Field(default="", description="The job queue of steps whose profile names none.")
    batch_spot_queue: str = Field(default="", description="That of the profile spot; empty: the one above.")
    batch_gpu_queue: str = Field(default="", description="That of the profile gpu; empty: the one above.")
    batch_log_group: str = Field(default="", description="Where CloudWatch keeps what steps on Batch print.")
    batch_secrets: dict[str, str] = Field(
        default_factory=dict, description="As JSON: variables that steps on Batch get, each with the ARN of its secret."
    )
    batch_folder: str = Field(default="", description="s3://bucket/prefix for what Batch has no room for.")
    batch_job_role: str = Field(default="", description="The ARN of what a step may do.")
    batch_execution_role: str = Field(default="", description="The ARN of what starts a step's container may do.")

    @field_validator("compute", mode="before")
    @classmethod
    def _a_backend(cls, name: str) -> BackendName:
        return a_backend(name)


@lru_cache(maxsize=1)
def compute_table() -> ComputeTable:
    """What this deployment offers. Nothing of a backend is imported or asked before a step needs it.

    Raises:
        DefinitionError: HEADRACE_IMAGE could be another image tomorrow, in production.
    """
    settings = read_settings(ComputeSettings)
    if settings.image:
        require_digest(settings.image, "HEADRACE_IMAGE", current_settings())
    return ComputeTable(
        default=settings.compute,
        profiles=_profiles(settings),
        images=None if settings.image else image_to_run,
        backends={
            "container": lambda: _containers(settings),
            "kubernetes": lambda: _kubernetes(settings),
            "batch": lambda: _batch(settings),
        },
    )


def _profiles(settings: ComputeSettings) -> dict[str, Profile]:
    """What teams may name. Queues and the ARNs of secrets are words of Batch, and told where that is the backend."""
    if settings.compute != "batch":
        return PROFILES
    queues = {"spot": settings.batch_spot_queue, "gpu": settings.batch_gpu_queue}
    return {
        name: replace(
            profile,
            options={**profile.options, **({"queue": queue} if (queue := queues.get(name)) else {})},
            secrets={**settings.batch_secrets, **profile.secrets},
        )
        for name, profile in PROFILES.items()
    }


def _containers(settings: ComputeSettings) -> "Backend":
    from platform_core.compute.backends.container.backend import ContainerBackend

    options = {"network": settings.container_network} if settings.container_network else {}
    return ContainerBackend(settings.image, mounts=settings.container_mounts, options=options)


def _kubernetes(settings: ComputeSettings) -> "Backend":
    from platform_core.compute.backends.kubernetes.backend import KubernetesBackend

    return KubernetesBackend(
        settings.image,
        namespace=settings.kubernetes_namespace,
        service_account=settings.kubernetes_service_account,
    )


def _batch(settings: ComputeSettings) -> "Backend":
    from platform_core.compute.backends.batch.backend import BatchBackend

    if not settings.batch_folder:
        raise SettingsError("The backend batch needs a folder on S3: set HEADRACE_BATCH_FOLDER=s3://bucket/prefix.")
    options = {
        "queue": settings.batch_queue,
        "job_role_arn": settings.batch_job_role,
        "execution_role_arn": settings.batch_execution_role,
        **({"log_group": settings.batch_log_group} if settings.batch_log_group else {}),
    }
    return BatchBackend(settings.batch_folder, image=settings.image, options=options)
