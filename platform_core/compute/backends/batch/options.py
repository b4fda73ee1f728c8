"""What the platform team says of Batch: for the whole deployment, and for a profile."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from platform_core.compute.quantities import as_bytes
from platform_core.errors import DefinitionError, HeadraceError, did_you_mean, listed

PLATFORMS = ("EC2", "FARGATE")
_VOLUME = re.compile(r"/[^:]*:/[^:]*(:ro)?")
DEFAULT_LOG_GROUP = "/aws/batch/job"


class Refused(HeadraceError):
    """An order that can never start as it is."""


@dataclass(frozen=True)
class Options:
    """How jobs are placed and what they may do.

    Args:
        queue: name or ARN of the job queue. A queue of spot machines is a queue like any other.
        platform: `EC2` or `FARGATE`, whichever the queue's compute environments are.
        job_role_arn: what the step itself may do, such as reading and writing the store.
        execution_role_arn: what starts the container may do: pull the image, read secrets, write logs.
        share_identifier: of a queue with fair share.
        scheduling_priority: 0 to 9999, within a share.
        log_group: where CloudWatch keeps what steps print.
        shared_memory: size of `/dev/shm` on EC2, for libraries whose processes exchange tensors there.
        volumes: folders of the EC2 machine that steps see, such as `/scratch:/scratch` or `/sets:/sets:ro`.
        public_ip: Fargate in a public subnet needs one to reach anything.
        default_memory: for steps that do not say how much they need; Batch starts nothing without a number.

    Raises:
        DefinitionError: a value that Batch cannot have.
    """

    queue: str = ""
    platform: str = "EC2"
    job_role_arn: str = ""
    execution_role_arn: str = ""
    share_identifier: str = ""
    scheduling_priority: int | None = None
    log_group: str = DEFAULT_LOG_GROUP
    shared_memory: str = ""
    volumes: Sequence[str] = ()
    public_ip: bool = False
    default_memory: str = "2GiB"

    def __post_init__(self) -> None:
        if self.platform not in PLATFORMS:
            raise DefinitionError(f"The Batch option platform='{self.platform}' must be EC2 or FARGATE.")
        for name in ("shared_memory", "default_memory"):
            _checked_size(name, getattr(self, name))
        for volume in self.volumes:
            if not _VOLUME.fullmatch(volume):
                raise DefinitionError(
                    f"The Batch option volumes: '{volume}' is not like /there:/here or /there:/here:ro."
                )

    @property
    def is_fargate(self) -> bool:
        return self.platform == "FARGATE"

    def with_those_of(self, profile: Mapping[str, Any]) -> "Options":
        """The same with what a profile says otherwise.

        Raises:
            DefinitionError: an option that does not exist.
        """
        known = [field.name for field in fields(self)]
        if unknown := [name for name in profile if name not in known]:
            raise DefinitionError(
                f"Batch has no option {listed(unknown)}; there are: {listed(known, most=len(known))}."
                f"{did_you_mean(unknown[0], known)}"
            )
        return replace(self, **profile)


def _checked_size(name: str, size: str) -> None:
    try:
        if size:
            as_bytes(size)
    except ValueError as error:
        raise DefinitionError(f"The Batch option {name}: {error}.") from error
