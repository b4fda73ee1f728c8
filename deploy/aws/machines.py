"""AWS Batch: machines that come when steps wait for them and go when none does, in three queues."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_batch as batch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from deploy.aws.installation import KINDS, Installation, Kind
from deploy.aws.keeping import log_group
from deploy.aws.network import Network

_BUY: Mapping[Kind, tuple[str, str]] = {
    "on-demand": ("EC2", "BEST_FIT_PROGRESSIVE"),
    "spot": ("SPOT", "SPOT_PRICE_CAPACITY_OPTIMIZED"),
    "gpu": ("EC2", "BEST_FIT_PROGRESSIVE"),
}
_DISK = 100  # gigabytes of each machine, for images and what steps keep


@dataclass(frozen=True)
class Machines:
    """The queues by kind, and the group of logs in which their jobs write."""

    queues: Mapping[Kind, Any]
    log: Any


def machines(stack: Any, installation: Installation, network: Network, key: Any) -> Machines:
    """A compute environment and a queue for each kind."""
    profile, template = _profile(stack), _template(stack, installation)
    log = log_group(stack, "Steps", installation.log_group, installation, key)
    queues = {
        kind: _queue(stack, installation, kind, _resources(installation, kind, network, profile, template))
        for kind in KINDS
    }
    return Machines(queues, log)


def _profile(stack: Any) -> Any:
    """What a machine itself may do: take part in the cluster and pull images. What a step may do is its role's."""
    agent = "service-role/AmazonEC2ContainerServiceforEC2Role"
    role = iam.Role(
        stack,
        "Machine",
        assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
        managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(agent)],
    )
    return iam.CfnInstanceProfile(stack, "MachineProfile", roles=[role.role_name])


def _template(stack: Any, installation: Installation) -> Any:
    """Encrypted disks, and no way from a container to the rights of its machine."""
    disk = ec2.CfnLaunchTemplate.EbsProperty(
        encrypted=True, volume_size=_DISK, volume_type="gp3", delete_on_termination=True
    )
    return ec2.CfnLaunchTemplate(
        stack,
        "Template",
        launch_template_data=ec2.CfnLaunchTemplate.LaunchTemplateDataProperty(
            metadata_options=ec2.CfnLaunchTemplate.MetadataOptionsProperty(
                http_tokens="required", http_put_response_hop_limit=1
            ),
            block_device_mappings=[ec2.CfnLaunchTemplate.BlockDeviceMappingProperty(device_name="/dev/xvda", ebs=disk)],
            tag_specifications=[
                ec2.CfnLaunchTemplate.TagSpecificationProperty(
                    resource_type=what, tags=[{"key": "Name", "value": installation.name("steps")}]
                )
                for what in ("instance", "volume")
            ],
        ),
    )


def _queue(stack: Any, installation: Installation, kind: Kind, resources: Any) -> Any:
    environment = batch.CfnComputeEnvironment(
        stack,
        f"Machines-{kind}",
        type="MANAGED",
        state="ENABLED",
        replace_compute_environment=False,  # changed in place, while its jobs go on
        update_policy=batch.CfnComputeEnvironment.UpdatePolicyProperty(
            terminate_jobs_on_update=False, job_execution_timeout_minutes=24 * 60
        ),
        compute_resources=resources,
    )
    return batch.CfnJobQueue(
        stack,
        f"Queue-{kind}",
        job_queue_name=installation.name(kind),
        priority=1,
        state="ENABLED",
        compute_environment_order=[
            batch.CfnJobQueue.ComputeEnvironmentOrderProperty(
                compute_environment=environment.attr_compute_environment_arn, order=1
            )
        ],
    )


def _resources(installation: Installation, kind: Kind, network: Network, profile: Any, template: Any) -> Any:
    (how, strategy), queue = _BUY[kind], installation.queues[kind]
    system = "ECS_AL2023_NVIDIA" if kind == "gpu" else "ECS_AL2023"
    return batch.CfnComputeEnvironment.ComputeResourcesProperty(
        type=how,
        allocation_strategy=strategy,
        minv_cpus=0,
        maxv_cpus=queue.most_cpus,
        instance_types=list(queue.machines),
        instance_role=profile.attr_arn,
        subnets=network.machines.subnet_ids,
        security_group_ids=[network.of_jobs.security_group_id],
        ec2_configuration=[batch.CfnComputeEnvironment.Ec2ConfigurationObjectProperty(image_type=system)],
        launch_template=batch.CfnComputeEnvironment.LaunchTemplateSpecificationProperty(
            launch_template_id=template.ref, version=template.attr_latest_version_number
        ),
        update_to_latest_image_version=True,
        tags={"headrace/namespace": "production", "headrace/queue": kind},
    )
