"""What people are told of: by mail, when it begins and when it is over."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions

from deploy.aws.data import Data
from deploy.aws.installation import KINDS, Installation
from deploy.aws.keeping import log_group

_GIB, _TIB = 1024**3, 1024**4
_HALF_HOUR, _FIVE_MINUTES, _DAY = Duration.minutes(30), Duration.minutes(5), Duration.days(1)
MANY_WAITING, MANY_FAILED, MUCH_STORED = 100, 20, 10 * _TIB
_STATES: Mapping[str, str] = {"Waiting": "RUNNABLE", "Started": "STARTING", "Failed": "FAILED"}


def alarms(stack: Any, installation: Installation, data: Data, key: Any) -> Any:
    """The topic, and the alarms that write to it."""
    topic = sns.Topic(stack, "Alarms", topic_name=installation.name("alarms"), master_key=key, enforce_ssl=True)
    if installation.alarms_to:
        topic.add_subscription(subscriptions.EmailSubscription(installation.alarms_to))
    for name, alarm in {
        **_of_steps(stack, installation, key, topic),
        **_of_store(data),
        **_of_database(installation, data),
    }.items():
        _tell(stack, installation, topic, name, alarm)
    _budget(stack, installation, topic)
    return topic


Alarm = dict[str, Any]


def _of_steps(stack: Any, installation: Installation, key: Any, topic: Any) -> dict[str, Alarm]:
    """Batch has no metric of its own: each change of a job's state is an event, which is counted in a group of logs."""
    group = log_group(stack, "Jobs", f"/aws/events/{installation.name()}/jobs", installation, key)
    queues = [installation.arn("batch", f"job-queue/{installation.name(kind)}") for kind in KINDS]
    _count_changes(stack, group, queues)
    _tell_of_blocked(stack, queues, topic)
    counted = {name: _counted(group, installation, name, state) for name, state in _STATES.items()}
    growth = cloudwatch.MathExpression(
        expression="FILL(waiting, 0) - FILL(started, 0)",
        using_metrics={"waiting": counted["Waiting"], "started": counted["Started"]},
        period=_HALF_HOUR,
        label="Jobs that came to wait and were not started",
    )
    return {
        "queue-depth": {
            "metric": growth,
            "threshold": MANY_WAITING,
            "periods": 2,
            "why": f"More than {MANY_WAITING} steps more than were started came to wait, in each of two half hours",
        },
        "failed-runs": {
            "metric": counted["Failed"],
            "threshold": MANY_FAILED,
            "why": f"More than {MANY_FAILED} jobs of runs failed within half an hour; owners are told of each asset",
        },
    }


def _counted(group: Any, installation: Installation, name: str, state: str) -> Any:
    found = group.add_metric_filter(
        name,
        filter_pattern=logs.FilterPattern.string_value("$.detail.status", "=", state),
        metric_namespace=installation.name(),
        metric_name=f"Jobs{name}",
        metric_value="1",
        default_value=0,
    )
    return found.metric(statistic="Sum", period=_HALF_HOUR)


def _count_changes(stack: Any, group: Any, queues: list[str]) -> None:
    """Batch's events into a group of logs, by a rule that needs no function beside it."""
    arn = f"arn:aws:logs:{stack.region}:{stack.account}:log-group:{group.log_group_name}"
    writers = {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]}
    allowed = {
        "Effect": "Allow",
        "Principal": writers,
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"{arn}:*",
    }
    policy = logs.CfnResourcePolicy(
        stack,
        "EventsWrite",
        policy_name=stack.stack_name,
        policy_document=stack.to_json_string({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    rule = events.CfnRule(
        stack,
        "JobStates",
        description="Jobs that wait, start and fail",
        event_pattern={
            "source": ["aws.batch"],
            "detail-type": ["Batch Job State Change"],
            "detail": {"jobQueue": queues, "status": list(_STATES.values())},
        },
        targets=[events.CfnRule.TargetProperty(id="jobs", arn=arn)],
    )
    rule.add_resource_dependency(policy)


def _tell_of_blocked(stack: Any, queues: list[str], topic: Any) -> None:
    """A job at the head of a queue that no machine can take holds up all behind it."""
    blocked = events.EventPattern(
        source=["aws.batch"], detail_type=["Batch Job Queue Blocked"], detail={"jobQueue": queues}
    )
    events.Rule(stack, "Blocked", event_pattern=blocked, targets=[targets.SnsTopic(topic)])


def _of_store(data: Data) -> dict[str, Alarm]:
    stored = cloudwatch.Metric(
        namespace="AWS/S3",
        metric_name="BucketSizeBytes",
        dimensions_map={"BucketName": data.bucket.bucket_name, "StorageType": "StandardStorage"},
        statistic="Maximum",
        period=_DAY,
    )
    why = f"The store holds more than {MUCH_STORED / _TIB:.0f} TiB: headrace gc, or raise the limit"
    return {"storage": {"metric": stored, "threshold": MUCH_STORED, "why": why}}


def _of_database(installation: Installation, data: Data) -> dict[str, Alarm]:
    database, tenth = data.database, installation.database.gigabytes * _GIB / 10
    less = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
    return {
        "database-disk": {
            "metric": database.metric_free_storage_space(period=_FIVE_MINUTES, statistic="Minimum"),
            "threshold": tenth,
            "compare": less,
            "why": "Less than a tenth of the database's disk is free",
        },
        "database-processor": {
            "metric": database.metric_cpu_utilization(period=_FIVE_MINUTES),
            "threshold": 80,
            "periods": 6,
            "why": "The database was busier than 80 % for half an hour",
        },
        "database-connections": {
            "metric": database.metric_database_connections(period=_FIVE_MINUTES, statistic="Maximum"),
            "threshold": 300,
            "why": "The database has more than 300 connections",
        },
        "database-memory": {
            "metric": database.metric_freeable_memory(period=_FIVE_MINUTES, statistic="Minimum"),
            "threshold": 256 * 1024**2,
            "compare": less,
            "periods": 3,
            "why": "The database has less than 256 MiB of memory left",
        },
    }


def _tell(stack: Any, installation: Installation, topic: Any, name: str, alarm: Alarm) -> None:
    made = cloudwatch.Alarm(
        stack,
        name,
        alarm_name=installation.name(name),
        alarm_description=alarm["why"],
        metric=alarm["metric"],
        threshold=alarm["threshold"],
        evaluation_periods=alarm.get("periods", 1),
        comparison_operator=alarm.get("compare", cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD),
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    made.add_alarm_action(actions.SnsAction(topic))
    made.add_ok_action(actions.SnsAction(topic))


def _budget(stack: Any, installation: Installation, topic: Any) -> None:
    """What all of it may cost in a month, machines of steps included."""
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["sns:Publish"],
            principals=[iam.ServicePrincipal("budgets.amazonaws.com")],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": installation.account}},
        )
    )
    budgets.CfnBudget(
        stack,
        "Budget",
        budget=budgets.CfnBudget.BudgetDataProperty(
            budget_name=installation.name(),
            budget_type="COST",
            time_unit="MONTHLY",
            budget_limit=budgets.CfnBudget.SpendProperty(amount=installation.monthly_budget_usd, unit="USD"),
        ),
        notifications_with_subscribers=[
            budgets.CfnBudget.NotificationWithSubscribersProperty(
                notification=budgets.CfnBudget.NotificationProperty(
                    notification_type="ACTUAL", comparison_operator="GREATER_THAN", threshold=80
                ),
                subscribers=[budgets.CfnBudget.SubscriberProperty(subscription_type="SNS", address=topic.topic_arn)],
            )
        ],
    )
