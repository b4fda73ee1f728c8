"""The network: machines without public addresses, a database that reaches nobody, one way out."""

from dataclasses import dataclass
from typing import Any

from aws_cdk import Fn
from aws_cdk import aws_ec2 as ec2

from deploy.aws.installation import Installation
from deploy.aws.keeping import log_group
from deploy.aws.settings import POSTGRES

_ZONES = 2  # which EKS and a database with a second machine want


@dataclass(frozen=True)
class Network:
    """The network, its subnets by what is in them, and who may reach whom in it."""

    vpc: Any
    machines: Any
    databases: Any
    of_jobs: Any
    of_database: Any


def network(stack: Any, installation: Installation, key: Any) -> Network:
    """What an installation's machines are connected by. S3 is reached without leaving it."""
    vpc = ec2.Vpc(
        stack,
        "Network",
        ip_addresses=ec2.IpAddresses.cidr(installation.network),
        availability_zones=[Fn.select(number, Fn.get_azs()) for number in range(_ZONES)],
        nat_gateways=1,  # to the registry, AWS' own services and the issuer of tokens; nothing comes in by it
        subnet_configuration=[
            # Nothing but the way out is in it.
            ec2.SubnetConfiguration(
                name="out", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=28, map_public_ip_on_launch=False
            ),
            ec2.SubnetConfiguration(name="machines", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=20),
            ec2.SubnetConfiguration(name="databases", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=26),
        ],
        restrict_default_security_group=False,  # it takes a function of its own; nothing is in that group
        gateway_endpoints={"S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)},
    )
    flows = log_group(stack, "Flows", f"/headrace/{installation.name()}/flows", installation, key)
    vpc.add_flow_log(
        "FlowLog",
        destination=ec2.FlowLogDestination.to_cloud_watch_logs(flows),
        traffic_type=ec2.FlowLogTrafficType.REJECT,
    )
    return _with_groups(stack, vpc)


def _with_groups(stack: Any, vpc: Any) -> Network:
    jobs = ec2.SecurityGroup(stack, "Jobs", vpc=vpc, description="Steps on AWS Batch: nobody reaches them")
    database = ec2.SecurityGroup(
        stack, "Database", vpc=vpc, description="The database: reached by steps and pods", allow_all_outbound=False
    )
    database.add_ingress_rule(jobs, ec2.Port.tcp(POSTGRES), "Steps on AWS Batch")
    return Network(
        vpc=vpc,
        machines=vpc.select_subnets(subnet_group_name="machines"),
        databases=ec2.SubnetSelection(subnet_group_name="databases"),
        of_jobs=jobs,
        of_database=database,
    )
