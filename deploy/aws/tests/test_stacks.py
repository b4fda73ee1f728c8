"""What matters of an installation on AWS holds in its templates."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest
from aws_cdk.assertions import Match

from deploy.aws.costs import idle, table
from deploy.aws.installation import BRANCHES, KINDS, Installation
from deploy.aws.settings import output_of, outputs_in, shared_settings, team_settings
from deploy.aws.tests.policies import allowed, statements_of
from platform_core.errors import HeadraceError

ROOT = Path(__file__).parents[3]
MOST_SENT = 51_200  # bytes of a template that a command may send by itself
Templates = dict[str, Any]


def every(templates: Templates, kind: str) -> dict[str, dict[str, Any]]:
    """All resources of a kind."""
    found: dict[str, dict[str, Any]] = {}
    for template in templates.values():
        found |= template.find_resources(kind)
    return found


def test_templates_pass_the_linter_of_cloudformation(files: list[Path]):
    linter = Path(sys.executable).parent / "cfn-lint"
    done = subprocess.run([linter, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert max(file.stat().st_size for file in files) < MOST_SENT


def test_they_need_nothing_that_was_set_up_before_and_run_no_code_of_their_own(templates: Templates, files: list[Path]):
    assert not every(templates, "AWS::Lambda::Function")
    for file in files:
        assert "BootstrapVersion" not in file.read_text()
        assert "Parameters" not in json.loads(file.read_text())


def test_machines_of_steps_are_there_only_while_steps_want_them(templates: Templates, installation: Installation):
    environments = [
        one["Properties"]["ComputeResources"] for one in every(templates, "AWS::Batch::ComputeEnvironment").values()
    ]
    assert len(environments) == len(KINDS)
    assert {one["MinvCpus"] for one in environments} == {0}
    assert not [one for one in environments if "DesiredvCpus" in one]
    assert sorted(one["Type"] for one in environments) == ["EC2", "EC2", "SPOT"]
    assert {one["MaxvCpus"] for one in environments} == {queue.most_cpus for queue in installation.queues.values()}
    queues = {one["Properties"]["JobQueueName"] for one in every(templates, "AWS::Batch::JobQueue").values()}
    told = shared_settings(installation)
    assert queues == {told[f"HEADRACE_BATCH_{kind}QUEUE"] for kind in ("", "SPOT_", "GPU_")}


def test_nothing_is_reached_from_outside(templates: Templates):
    templates["data"].has_resource_properties("AWS::RDS::DBInstance", {"PubliclyAccessible": False})
    endpoints = {"EndpointPublicAccess": False, "EndpointPrivateAccess": True}
    templates["cluster"].has_resource_properties(
        "AWS::EKS::Cluster", {"ResourcesVpcConfig": Match.object_like(endpoints)}
    )
    for bucket in every(templates, "AWS::S3::Bucket").values():
        assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    for group in every(templates, "AWS::EC2::SecurityGroup").values():
        assert "SecurityGroupIngress" not in group["Properties"]
    for rule in every(templates, "AWS::EC2::SecurityGroupIngress").values():
        assert rule["Properties"]["FromPort"] == rule["Properties"]["ToPort"] == 5432
        assert "SourceSecurityGroupId" in rule["Properties"]
    for subnet in every(templates, "AWS::EC2::Subnet").values():
        assert not subnet["Properties"].get("MapPublicIpOnLaunch")
    (template,) = every(templates, "AWS::EC2::LaunchTemplate").values()
    options = template["Properties"]["LaunchTemplateData"]["MetadataOptions"]
    assert options == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}


def test_whatever_is_kept_is_encrypted_and_outlives_its_stack(templates: Templates):
    (database,) = every(templates, "AWS::RDS::DBInstance").values()
    assert database["Properties"]["StorageEncrypted"]
    assert database["Properties"]["DeletionProtection"]
    assert database["Properties"]["ManageMasterUserPassword"]
    assert int(database["Properties"]["BackupRetentionPeriod"]) >= 7
    kept = ("S3::Bucket", "RDS::DBInstance", "KMS::Key", "SecretsManager::Secret", "Logs::LogGroup", "ECR::Repository")
    for kind in kept:
        for name, one in every(templates, f"AWS::{kind}").items():
            assert one["DeletionPolicy"] == one["UpdateReplacePolicy"] == "Retain", name
    for one in every(templates, "AWS::SecretsManager::Secret").values():
        assert one["Properties"]["KmsKeyId"]
    for one in every(templates, "AWS::Logs::LogGroup").values():
        assert one["Properties"]["KmsKeyId"]
        assert one["Properties"]["RetentionInDays"] == 90
    for one in every(templates, "AWS::ECR::Repository").values():
        assert one["Properties"]["EncryptionConfiguration"]["EncryptionType"] == "KMS"
        assert one["Properties"]["ImageTagMutability"] == "IMMUTABLE"
    (bucket,) = every(templates, "AWS::S3::Bucket").values()
    assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["BucketKeyEnabled"]
    (template,) = every(templates, "AWS::EC2::LaunchTemplate").values()
    (disk,) = template["Properties"]["LaunchTemplateData"]["BlockDeviceMappings"]
    assert disk["Ebs"]["Encrypted"]
    assert every(templates, "AWS::SNS::Topic").popitem()[1]["Properties"]["KmsMasterKeyId"]


def test_no_secret_is_in_a_template(files: list[Path]):
    for file in files:
        for one in json.loads(file.read_text())["Resources"].values():
            if one["Type"] == "AWS::SecretsManager::Secret" and "SecretString" in one["Properties"]:
                text = json.dumps(one["Properties"]["SecretString"])
                assert text.count("{{resolve:secretsmanager:") >= 3


READING = {
    "batch:DescribeJobDefinitions", "batch:DescribeJobs", "batch:ListJobs", "batch:DescribeJobQueues",
    "ecr:GetAuthorizationToken",
}  # fmt: skip


def test_no_role_may_change_whatever_it_likes(templates: Templates):
    policies = every({"teams": templates["teams"], "compute": templates["compute"]}, "AWS::IAM::Policy")
    assert policies
    for name, policy in policies.items():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert not [one for one in actions if "*" in one], name
            if statement["Effect"] == "Allow" and statement["Resource"] == "*":
                assert set(actions) <= READING, name


def of(templates: Templates, installation: Installation, team: str, what: str) -> Any:
    return statements_of(templates["teams"], installation.name(team, what))


@pytest.mark.parametrize("what", ["runs", "steps"])
def test_a_namespace_is_written_to_by_its_own_roles_alone(templates: Templates, installation: Installation, what: str):
    root = f"arn:aws:s3:::{installation.bucket}"
    owners = {
        "production": of(templates, installation, "flights", what),
        "branch/new-engine": of(templates, installation, BRANCHES, what),
        "user/ada": statements_of(templates["teams"], installation.name("user-ada")),
    }
    for owner, policy in owners.items():
        assert allowed(policy, "s3:GetObject", f"{root}/store/production/a/part.parquet")
        for namespace in owners:
            file = f"{root}/store/{namespace}/a/part.parquet"
            assert (
                allowed(policy, "s3:PutObject", file)
                == allowed(policy, "s3:DeleteObject", file)
                == (owner == namespace)
            )
    mine, theirs = f"{root}/compute/flights/x", f"{root}/compute/airports/x"
    assert allowed(owners["production"], "s3:GetObject", mine)
    assert allowed(owners["production"], "s3:PutObject", mine) == (what == "runs")
    assert not allowed(owners["production"], "s3:GetObject", theirs)


def test_the_bucket_itself_keeps_others_out_of_production(templates: Templates, installation: Installation):
    (policy,) = every(templates, "AWS::S3::BucketPolicy").values()
    (deny,) = [
        one for one in policy["Properties"]["PolicyDocument"]["Statement"] if one.get("Sid") == "ProductionAlone"
    ]
    spared = deny["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
    roles = {one["Properties"]["RoleName"] for one in templates["teams"].find_resources("AWS::IAM::Role").values()}
    assert not [arn for arn in spared if "*" in arn]
    names = {arn.rpartition("/")[2] for arn in spared}
    assert names < roles
    assert not [name for name in names if BRANCHES in name or "user" in name or name.endswith("start")]


def test_a_team_has_no_way_to_anothers_rights(templates: Templates, installation: Installation):
    runs = of(templates, installation, "flights", "runs")
    definition = installation.arn("batch", "job-definition/headrace-0123:1")
    job, queue = installation.arn("batch", "job/1"), installation.arn("batch", f"job-queue/{installation.name('gpu')}")

    def tagged(of_what: str, location: str) -> dict[str, str]:
        return {f"aws:{of_what}/location": location, f"aws:{of_what}/namespace": "production"}

    for location, may in (("flights", True), ("airports", False)):
        assert allowed(runs, "batch:SubmitJob", definition, tagged("ResourceTag", location)) == may
        assert allowed(runs, "batch:SubmitJob", queue, tagged("RequestTag", location)) == may
        assert allowed(runs, "batch:RegisterJobDefinition", definition, tagged("RequestTag", location)) == may
        assert allowed(runs, "batch:TerminateJob", job, tagged("ResourceTag", location)) == may
        # A definition of another team that got another tag could be used.
        assert allowed(runs, "batch:TagResource", definition, tagged("ResourceTag", location)) == may
        what: Literal["steps", "start", "runs"]
        for what in ("steps", "start", "runs"):
            passed = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
            role = installation.role(location, what)
            assert allowed(runs, "iam:PassRole", role, passed) == (may and what != "runs")
    assert not allowed(runs, "batch:SubmitJob", definition)
    assert not allowed(
        runs, "batch:SubmitJob", installation.arn("batch", "job-queue/other"), tagged("RequestTag", "flights")
    )


def test_the_rights_of_the_page_on_batch_are_given(templates: Templates, installation: Installation):
    """docs/compute-batch.md says what a run worker calls."""
    given = {
        action
        for statement in of(templates, installation, "flights", "runs")
        for action in (statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]])
    }
    row = next(
        line
        for line in (ROOT / "docs" / "compute-batch.md").read_text().splitlines()
        if line.startswith("| run worker")
    )
    words = [word.strip("`,;. ") for word in row.replace("|", " ").split()]
    batch = {"RegisterJobDefinition", "DeregisterJobDefinition", "SubmitJob", "TagResource", "ListJobs", "DescribeJobs"}
    assert batch | {"DescribeJobDefinitions", "TerminateJob"} <= {word.rpartition(":")[2] for word in words}
    assert {f"batch:{name}" for name in batch} | {"iam:PassRole", "logs:GetLogEvents", "s3:ListBucket"} <= given


def test_a_pod_gets_the_role_of_its_own_account(templates: Templates, installation: Installation):
    accounts = {
        (one["Properties"]["Namespace"], one["Properties"]["ServiceAccount"]): one["Properties"]["RoleArn"]
        for one in templates["cluster"].find_resources("AWS::EKS::PodIdentityAssociation").values()
    }
    assert {f"headrace-{name}" for name in installation.locations} == {space for space, _ in accounts}
    for (space, account), role in accounts.items():
        location = space.removeprefix("headrace-")
        assert account in {f"runs-{location}", f"steps-{location}", f"code-{location}"}
        wanted = "runs" if account.startswith("runs") else "steps"
        assert f"Role{location}{wanted}" in json.dumps(role).replace("-", "")
        (trust,) = [
            statement
            for statement in _trust(templates, installation.name(location, wanted))
            if statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
        ]
        tags = trust["Condition"]["StringLike"]
        assert tags["aws:RequestTag/kubernetes-namespace"] == space
        assert account in tags["aws:RequestTag/kubernetes-service-account"]


def _trust(templates: Templates, name: str) -> list[dict[str, Any]]:
    roles = templates["teams"].find_resources("AWS::IAM::Role", {"Properties": {"RoleName": name}})
    (role,) = roles.values()
    statements: list[dict[str, Any]] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    return statements


def test_a_secret_is_read_for_its_own_team_alone(templates: Templates, installation: Installation):
    for team in installation.teams:
        read = [
            json.dumps(one["Resource"])
            for one in of(templates, installation, team, "start")
            if one["Action"] == "secretsmanager:GetSecretValue"
        ]
        assert len(read) == 1
        assert f"Addresses{team}" in read[0]
        for what in ("runs", "steps"):
            assert not [
                one for one in of(templates, installation, team, what) if "secretsmanager" in json.dumps(one["Action"])
            ]


def test_people_are_told(templates: Templates, installation: Installation):
    alarms = [one["Properties"] for one in every(templates, "AWS::CloudWatch::Alarm").values()]
    names = {one["AlarmName"].removeprefix("headrace-production-") for one in alarms}
    assert {"queue-depth", "failed-runs", "storage", "database-disk", "database-processor", "database-memory"} <= names
    for alarm in alarms:
        assert alarm["AlarmActions"]
        assert alarm["OKActions"]
        assert alarm["AlarmDescription"]
    blocked = {"detail-type": ["Batch Job Queue Blocked"]}
    templates["alarms"].has_resource_properties("AWS::Events::Rule", {"EventPattern": Match.object_like(blocked)})
    templates["alarms"].has_resource_properties("AWS::SNS::Subscription", {"Endpoint": installation.alarms_to})


def test_each_team_is_told_what_is_its_own(installation: Installation, templates: Templates):
    outputs = {name for name in templates["data"].find_outputs("*") if name.startswith("Settings")}
    assert outputs == {output_of(team) for team in ("core", *installation.teams)}
    arns = {name: f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:{name}-AbCdEf" for name in outputs}
    told = json.dumps({"Stacks": [{"Outputs": [{"OutputKey": key, "OutputValue": arn} for key, arn in arns.items()]}]})
    flights = team_settings(installation, "flights", outputs_in(told))
    assert flights["HEADRACE_BATCH_JOB_ROLE"].endswith(":role/headrace-production-flights-steps")
    secrets = json.loads(flights["HEADRACE_BATCH_SECRETS"])
    assert secrets["HEADRACE_CATALOG"] == f"{arns['SettingsFlights']}:HEADRACE_CATALOG::"
    assert "HEADRACE_DAGSTER_URL" not in json.loads(
        team_settings(installation, BRANCHES, outputs_in(told))["HEADRACE_BATCH_SECRETS"]
    )
    with pytest.raises(HeadraceError, match="no location 'moon'"):
        team_settings(installation, "moon", arns)
    with pytest.raises(HeadraceError, match="SettingsFlights"):
        team_settings(installation, "flights", {})
    with pytest.raises(HeadraceError, match="describe-stacks"):
        outputs_in("{}")


def test_the_page_says_what_it_costs(installation: Installation, files: list[Path]):
    assert table(idle(installation, files)) in (ROOT / "docs" / "aws.md").read_text()
