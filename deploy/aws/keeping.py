"""How long things are kept, and the key that they are kept under."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs

from deploy.aws.installation import Installation

_DAYS: Mapping[int, str] = {
    1: "ONE_DAY", 7: "ONE_WEEK", 14: "TWO_WEEKS", 30: "ONE_MONTH", 60: "TWO_MONTHS", 90: "THREE_MONTHS",
    180: "SIX_MONTHS", 365: "ONE_YEAR", 731: "TWO_YEARS",
}  # fmt: skip


def log_group(stack: Any, name: str, path: str, installation: Installation, key: Any) -> Any:
    """A group of logs, encrypted, whose lines are kept for `logs_days`; it outlives its stack."""
    fitting = [days for days in _DAYS if days >= installation.logs_days]
    retention = getattr(logs.RetentionDays, _DAYS[min(fitting, default=max(_DAYS))])
    return logs.LogGroup(
        stack, name, log_group_name=path, encryption_key=key, retention=retention, removal_policy=RemovalPolicy.RETAIN
    )


def key_of(stack: Any, installation: Installation) -> Any:
    """The key of bucket, database, secrets, images, logs and messages of alarms. Deleting the stack leaves it."""
    key = kms.Key(
        stack,
        "Key",
        alias=f"alias/{installation.name()}",
        description="What Headrace keeps",
        enable_key_rotation=True,
        removal_policy=RemovalPolicy.RETAIN,
    )
    groups = f"arn:aws:logs:{installation.region}:{installation.account}:log-group:*"
    _let(key, f"logs.{installation.region}.amazonaws.com", {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}})
    for service in ("cloudwatch", "events", "budgets"):
        _let(key, f"{service}.amazonaws.com", {"StringEquals": {"aws:SourceAccount": installation.account}})
    return key


def _let(key: Any, service: str, condition: Mapping[str, Any]) -> None:
    key.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
            principals=[iam.ServicePrincipal(service)],
            resources=["*"],  # of a key's own policy: the key
            conditions=condition,
        )
    )
