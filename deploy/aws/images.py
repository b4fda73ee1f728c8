"""A registry of images for each location, which hold no name that could move."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ecr as ecr

from deploy.aws.installation import Installation

_UNNAMED = Duration.days(14)


def images(stack: Any, installation: Installation, key: Any) -> Mapping[str, Any]:
    """By location the repository of its images. Webserver and daemon run in one of the location `platform`."""
    return {location: _repository(stack, installation, location, key) for location in installation.locations}


def _repository(stack: Any, installation: Installation, location: str, key: Any) -> Any:
    return ecr.Repository(
        stack,
        f"Images-{location}",
        repository_name=f"{installation.images}/{location}",
        encryption=ecr.RepositoryEncryption.KMS,
        encryption_key=key,
        image_scan_on_push=True,
        image_tag_mutability=ecr.TagMutability.IMMUTABLE,
        lifecycle_rules=[
            ecr.LifecycleRule(
                description="Layers of builds that broke off",
                tag_status=ecr.TagStatus.UNTAGGED,
                max_image_age=_UNNAMED,
            )
        ],
        removal_policy=RemovalPolicy.RETAIN,
    )
