"""EKS, in which webserver, daemon, code servers and runs are (deploy/kubernetes): nobody outside reaches it."""

from collections.abc import Iterable, Mapping
from typing import Any

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks as eks
from aws_cdk import aws_iam as iam

from deploy.aws.installation import BRANCHES, Installation
from deploy.aws.keeping import log_group
from deploy.aws.network import Network
from deploy.aws.roles import ACCOUNTS, PODS, TeamRoles
from deploy.aws.settings import POSTGRES
from platform_core.kubernetes_names import account_of, namespace_of, namespaces_of_locations
from platform_core.namespaces import PRODUCTION

_OF_CLUSTER = ("Cluster", "Compute", "BlockStorage", "LoadBalancing", "Networking")
_OF_NODES = ("AmazonEKSWorkerNodeMinimalPolicy", "AmazonEC2ContainerRegistryPullOnly")
_ADMINISTRATION = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
_LOGS = ("application", "dataplane", "host", "performance")


def cluster(stack: Any, installation: Installation, network: Network, key: Any, roles: Mapping[str, TeamRoles]) -> Any:
    """The cluster, whose machines EKS itself adds and removes, and the accounts of pods with their roles."""
    made = _cluster(stack, installation, network, key)
    _administrators(stack, installation, made)
    _associations(stack, made, roles)
    _logging(stack, installation, made, key)
    ec2.CfnSecurityGroupIngress(
        stack,
        "PodsToDatabase",
        group_id=network.of_database.security_group_id,
        source_security_group_id=made.attr_cluster_security_group_id,
        ip_protocol="tcp",
        from_port=POSTGRES,
        to_port=POSTGRES,
        description="Pods",
    )
    return made


def _cluster(stack: Any, installation: Installation, network: Network, key: Any) -> Any:
    role = _role(stack, "ClusterRole", "eks.amazonaws.com", [f"AmazonEKS{part}Policy" for part in _OF_CLUSTER])
    nodes = _role(stack, "NodeRole", "ec2.amazonaws.com", _OF_NODES, sessions=False)
    name = installation.name()
    control = log_group(stack, "Control", f"/aws/eks/{name}/cluster", installation, key)
    made = eks.CfnCluster(
        stack,
        "Cluster",
        name=name,
        version=installation.kubernetes.version,
        role_arn=role.role_arn,
        deletion_protection=True,
        resources_vpc_config=eks.CfnCluster.ResourcesVpcConfigProperty(
            subnet_ids=network.machines.subnet_ids, endpoint_public_access=False, endpoint_private_access=True
        ),
        access_config=eks.CfnCluster.AccessConfigProperty(
            authentication_mode="API", bootstrap_cluster_creator_admin_permissions=False
        ),
        encryption_config=[
            eks.CfnCluster.EncryptionConfigProperty(
                provider=eks.CfnCluster.ProviderProperty(key_arn=key.key_arn), resources=["secrets"]
            )
        ],
        logging=_log_types("api", "audit", "authenticator"),
        bootstrap_self_managed_addons=False,
        **_automatic(nodes),
    )
    made.add_resource_dependency(control.node.default_child)
    return made


def _automatic(nodes: Any) -> dict[str, Any]:
    """EKS Auto Mode: machines, disks and balancers follow from what pods ask for."""
    return {
        "compute_config": eks.CfnCluster.ComputeConfigProperty(
            enabled=True, node_pools=["general-purpose", "system"], node_role_arn=nodes.role_arn
        ),
        "storage_config": eks.CfnCluster.StorageConfigProperty(
            block_storage=eks.CfnCluster.BlockStorageProperty(enabled=True)
        ),
        "kubernetes_network_config": eks.CfnCluster.KubernetesNetworkConfigProperty(
            elastic_load_balancing=eks.CfnCluster.ElasticLoadBalancingProperty(enabled=True)
        ),
    }


def _log_types(*types: str) -> Any:
    enabled = [eks.CfnCluster.LoggingTypeConfigProperty(type=one) for one in types]
    return eks.CfnCluster.LoggingProperty(cluster_logging=eks.CfnCluster.ClusterLoggingProperty(enabled_types=enabled))


def _role(stack: Any, name: str, service: str, policies: Iterable[str], sessions: bool = True) -> Any:
    managed = [iam.ManagedPolicy.from_aws_managed_policy_name(policy) for policy in policies]
    principal = iam.ServicePrincipal(service)
    return iam.Role(
        stack,
        name,
        assumed_by=principal.with_session_tags() if sessions else principal,
        managed_policies=managed,
    )


def _administrators(stack: Any, installation: Installation, made: Any) -> None:
    for number, arn in enumerate(installation.kubernetes.administrators):
        eks.CfnAccessEntry(
            stack,
            f"Administrator{number}",
            cluster_name=made.ref,
            principal_arn=arn,
            access_policies=[
                eks.CfnAccessEntry.AccessPolicyProperty(
                    policy_arn=_ADMINISTRATION,
                    access_scope=eks.CfnAccessEntry.AccessScopeProperty(type="cluster"),
                )
            ],
        )


def _associations(stack: Any, made: Any, roles: Mapping[str, TeamRoles]) -> None:
    """By its account a pod of a location has the role of its team. Those of a branch are made when it is opened."""
    for location in (team for team in roles if team != BRANCHES):
        for account, what in ((account, what) for what, accounts in ACCOUNTS.items() for account in accounts):
            eks.CfnPodIdentityAssociation(
                stack,
                f"Account-{account}-{location}",
                cluster_name=made.ref,
                namespace=namespace_of(location, namespaces_of_locations(PRODUCTION)),
                service_account=account_of(account, location),
                role_arn=getattr(roles[location], what).role_arn,
            )


def _logging(stack: Any, installation: Installation, made: Any, key: Any) -> None:
    """What pods print is kept in CloudWatch; the groups are made here, as they would else be kept for ever."""
    agent = _role(stack, "Agent", PODS, ["CloudWatchAgentServerPolicy"])
    groups = [
        log_group(stack, f"Log-{part}", f"/aws/containerinsights/{installation.name()}/{part}", installation, key)
        for part in _LOGS
    ]
    addon = eks.CfnAddon(
        stack,
        "Logging",
        cluster_name=made.ref,
        addon_name="amazon-cloudwatch-observability",
        pod_identity_associations=[
            eks.CfnAddon.PodIdentityAssociationProperty(service_account="cloudwatch-agent", role_arn=agent.role_arn)
        ],
    )
    for group in groups:
        addon.add_resource_dependency(group.node.default_child)
