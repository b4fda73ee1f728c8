"""What must not be lost: the bucket with the store, the database, and the addresses of it as secrets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration, RemovalPolicy, SecretValue, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secrets

from deploy.aws.installation import CORE, Installation
from deploy.aws.keeping import log_group
from deploy.aws.network import Network
from deploy.aws.settings import DATABASE, addresses
from platform_core.catalog.access import WRITE

ABANDONED, CLAIMS, BEFORE = Duration.days(1), Duration.days(14), Duration.days(30)
WRITERS = ("steps", "runs", "promotion")  # of production, by the last part of their role's name


@dataclass(frozen=True)
class Data:
    """The bucket, the database and by team the secret with its addresses."""

    bucket: Any
    database: Any
    secrets: Mapping[str, Any]


def data(stack: Any, installation: Installation, network: Network, key: Any) -> Data:
    """Bucket, database and secrets."""
    bucket = _bucket(stack, installation, key)
    database = _database(stack, installation, network, key)
    secret = {team: _addresses(stack, installation, team, database, key) for team in (CORE, *installation.teams)}
    _to_be_filled(stack, installation, key)
    return Data(bucket, database, secret)


def _bucket(stack: Any, installation: Installation, key: Any) -> Any:
    bucket = s3.Bucket(
        stack,
        "Store",
        bucket_name=installation.bucket,
        encryption=s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=True,  # one call to the key for many objects
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        versioned=True,
        removal_policy=RemovalPolicy.RETAIN,
        lifecycle_rules=[
            s3.LifecycleRule(id="abandoned-uploads", abort_incomplete_multipart_upload_after=ABANDONED),
            s3.LifecycleRule(id="claims-of-killed-runs", prefix="compute/", expiration=CLAIMS),
            s3.LifecycleRule(id="what-was-removed", noncurrent_version_expiration=BEFORE),
        ],
    )
    bucket.add_to_resource_policy(_production_alone(installation))
    return bucket


def _production_alone(installation: Installation) -> Any:
    """Whatever somebody else's own policies allow: production's prefix is written to by production's roles."""
    role = f"arn:aws:iam::{installation.account}:role/{installation.name('*')}"
    names = [f"{role.removesuffix('*')}{team}-{what}" for team in installation.locations for what in WRITERS[:2]]
    return iam.PolicyStatement(
        sid="ProductionAlone",
        effect=iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=WRITE,
        resources=[f"arn:aws:s3:::{installation.bucket}/store/production/*"],
        conditions={"ArnNotLike": {"aws:PrincipalArn": [*names, role.removesuffix("*") + WRITERS[2]]}},
    )


def _database(stack: Any, installation: Installation, network: Network, key: Any) -> Any:
    about, name = installation.database, installation.name()
    for part in ("postgresql", "upgrade"):
        log_group(stack, f"Log-{part}", f"/aws/rds/instance/{name}/{part}", installation, key)
    engine = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_17_9)
    return rds.DatabaseInstance(
        stack,
        "Database",
        instance_identifier=name,
        engine=engine,
        instance_type=ec2.InstanceType(about.machine),
        vpc=network.vpc,
        vpc_subnets=network.databases,
        security_groups=[network.of_database],
        publicly_accessible=False,
        multi_az=about.two_zones,
        database_name=DATABASE,
        # The administrator's, who owns the tables and lets others in: RDS keeps its password, and changes it each week.
        credentials=rds.Credentials.from_username("headrace_admin"),
        manage_master_user_password=True,
        allocated_storage=about.gigabytes,
        max_allocated_storage=about.most_gigabytes,
        storage_type=rds.StorageType.GP3,
        storage_encrypted=True,
        storage_encryption_key=key,
        backup_retention=Duration.days(about.backup_days),
        copy_tags_to_snapshot=True,
        delete_automated_backups=False,
        deletion_protection=True,
        removal_policy=RemovalPolicy.RETAIN,
        auto_minor_version_upgrade=True,
        cloudwatch_logs_exports=["postgresql", "upgrade"],
        parameter_group=rds.ParameterGroup(stack, "Parameters", engine=engine, parameters={"rds.force_ssl": "1"}),
    )


def _addresses(stack: Any, installation: Installation, team: str, database: Any, key: Any) -> Any:
    """The variables of a team that have a password in them, under the names that processes read them by.

    The login is made by the administrator (docs/aws.md); here it gets its password.
    """
    password = secrets.Secret(
        stack,
        f"Password-{team}",
        secret_name=installation.name() + f"/{team}/password",
        encryption_key=key,
        removal_policy=RemovalPolicy.RETAIN,
        generate_secret_string=secrets.SecretStringGenerator(password_length=40, exclude_punctuation=True),
    )
    return secrets.Secret(
        stack,
        f"Addresses-{team}",
        secret_name=installation.name() + f"/{team}/settings",
        description=f"What the Secret headrace of {team} holds",
        encryption_key=key,
        removal_policy=RemovalPolicy.RETAIN,
        secret_object_value={
            name: SecretValue.unsafe_plain_text(text)
            for name, text in addresses(
                team, Token.as_string(password.secret_value), database.db_instance_endpoint_address
            ).items()
        },
    )


def _to_be_filled(stack: Any, installation: Installation, key: Any) -> None:
    """What only people can put in: the key of those who promote, and the addresses of owners."""
    for name in ("promotion", "alerts"):
        secret = secrets.CfnSecret(
            stack, f"Empty-{name}", name=installation.name() + f"/{name}", kms_key_id=key.key_arn
        )
        secret.apply_removal_policy(RemovalPolicy.RETAIN)
