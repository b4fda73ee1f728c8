"""Whether branches are deployed in a cluster, and where they are seen there."""

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from platform_core.settings import read_settings

BRANCH = "{branch}"


class ClusterSettings(BaseSettings):
    """Where branches are deployed. Empty variables count as not set."""

    model_config = SettingsConfigDict(env_prefix="HEADRACE_", env_ignore_empty=True, frozen=True, extra="ignore")

    cluster: str = Field(default="", description="The context of kubectl in which branches are deployed; empty: here.")
    cluster_ui: str = Field(
        default="", description="Where a branch is seen there, such as https://{branch}.headrace.example.com."
    )
    cluster_patience: float = Field(default=600, gt=0, description="Seconds that a branch may take to stand there.")

    @field_validator("cluster_ui")
    @classmethod
    def _of_each_branch(cls, pattern: str) -> str:
        if pattern and BRANCH not in pattern:
            raise ValueError(f"it has no {BRANCH}, so that all branches would be seen at one address.")
        return pattern


def in_cluster() -> bool:
    """Whether branches are deployed in a cluster."""
    return bool(cluster_settings().cluster)


def cluster_settings() -> ClusterSettings:
    """The settings of this process.

    Raises:
        SettingsError: some cannot be used.
    """
    return read_settings(ClusterSettings)
