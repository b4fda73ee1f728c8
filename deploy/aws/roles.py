"""Who may do what: three roles for each team, one for each person, one for promotion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_iam as iam

from deploy.aws.installation import BRANCHES, KINDS, Installation
from platform_core.catalog.access import s3_policy, s3_policy_of_branches
from platform_core.kubernetes_names import account_of, namespace_of, namespaces_of_locations
from platform_core.namespaces import PRODUCTION, Namespace

TASKS, PODS = "ecs-tasks.amazonaws.com", "pods.eks.amazonaws.com"
# Which accounts of a location's pods have a role. Its code server evaluates sensors, which may look at the store.
ACCOUNTS: Mapping[str, tuple[str, ...]] = {"runs": ("runs",), "steps": ("steps", "code")}
_LOOK = ["batch:DescribeJobDefinitions", "batch:DescribeJobs", "batch:ListJobs", "batch:DescribeJobQueues"]


@dataclass(frozen=True)
class TeamRoles:
    """What a team's run workers, steps and starting containers may do."""

    runs: Any
    steps: Any
    start: Any


def roles(
    stack: Any, installation: Installation, key: Any, secrets: Mapping[str, Any], repositories: Mapping[str, Any]
) -> Mapping[str, TeamRoles]:
    """By team its roles; those of people and of promotion beside."""
    office = _Office(stack, installation, key)
    for person, trusted in installation.people.items():
        office.person(f"user-{person}", trusted, Namespace("user", person))
    if trusted := installation.pipelines.get("promotion", ()):
        office.person("promotion", trusted, PRODUCTION)
    images = {name: [repository] for name, repository in repositories.items()}
    images[BRANCHES] = list(repositories.values())
    return {team: office.team(team, secrets[team], images[team]) for team in installation.teams}


@dataclass(frozen=True)
class _Office:
    """Makes roles in a stack; what they read is under the one key."""

    stack: Any
    installation: Installation
    key: Any

    def person(self, name: str, trusted: Sequence[str], namespace: Namespace) -> None:
        by = _either(*(iam.ArnPrincipal(arn) for arn in trusted))
        self._role(by, s3_policy(namespace, self.installation.store), name)

    def team(self, team: str, secret: Any, images: Sequence[Any]) -> TeamRoles:
        return TeamRoles(self._runs(team), self._steps(team), self._start(team, secret, images))

    def _runs(self, team: str) -> Any:
        pipelines = self.installation.pipelines.get(BRANCHES, ()) if team == BRANCHES else ()
        by = _either(_to_pods(team, *ACCOUNTS["runs"]), *(iam.ArnPrincipal(arn) for arn in pipelines))
        role = self._role(by, self._store(team, [self.installation.folder(team)]), team, "runs")
        for statement in _of_batch(self.installation, team):
            role.add_to_policy(statement)
        _attach(role, ["logs:GetLogEvents"], _log(self.installation))
        return role

    def _steps(self, team: str) -> Any:
        by = _either(_to_tasks(self.installation), _to_pods(team, *ACCOUNTS["steps"]))
        role = self._role(by, self._store(team), team, "steps")
        _attach(role, ["s3:GetObject"], f"arn:aws:s3:::{self.installation.folder(team).removeprefix('s3://')}/*")
        return role

    def _start(self, team: str, secret: Any, images: Sequence[Any]) -> Any:
        role = self._role(_to_tasks(self.installation), {}, team, "start")
        for image in images:
            image.grant_pull(role)
        _attach(role, ["secretsmanager:GetSecretValue"], secret.secret_arn)
        _attach(role, ["logs:CreateLogStream", "logs:PutLogEvents"], _log(self.installation))
        return role

    def _store(self, team: str, folders: Sequence[str] = ()) -> Mapping[str, Any]:
        """The store by the platform's own rules: all may be read, and one's own namespace written to."""
        if team == BRANCHES:
            return s3_policy_of_branches(self.installation.store, folders)
        return s3_policy(PRODUCTION, self.installation.store, folders=folders)

    def _role(self, by: Any, policy: Mapping[str, Any], *name: str) -> Any:
        role = iam.Role(self.stack, "-".join(["Role", *name]), role_name=self.installation.name(*name), assumed_by=by)
        for statement in policy.get("Statement", ()):
            role.add_to_policy(iam.PolicyStatement.from_json(statement))
        _attach(role, ["kms:Decrypt", *(["kms:GenerateDataKey"] if policy else [])], self.key.key_arn)
        return role


def _of_batch(installation: Installation, team: str) -> list[Any]:
    """What run workers do with Batch: with definitions and jobs of their own team alone, told by their tags."""
    mine, jobs = _tags(team), installation.arn("batch", "job/*")
    definitions = installation.arn("batch", "job-definition/headrace-*")
    queues = [installation.arn("batch", f"job-queue/{installation.name(kind)}") for kind in KINDS]
    return [
        iam.PolicyStatement(sid="Look", actions=_LOOK, resources=["*"]),  # they know no narrower resource
        _when(["batch:RegisterJobDefinition"], [definitions], "RequestTag", mine),
        # Of another team's definition the role would be that team's.
        _when(["batch:SubmitJob", "batch:DeregisterJobDefinition"], [definitions], "ResourceTag", mine),
        _when(["batch:SubmitJob"], queues, "RequestTag", mine),
        # What is made gets its tags with that; what another team made keeps its own. Parts of arrays have none.
        _when(["batch:TagResource"], [definitions, jobs], "ResourceTag", mine, if_any=True),
        _when(["batch:TerminateJob"], [jobs], "ResourceTag", mine, if_any=True),
        iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[installation.role(team, "steps"), installation.role(team, "start")],
            conditions={"StringEquals": {"iam:PassedToService": TASKS}},
        ),
    ]


def _tags(team: str) -> Mapping[str, str]:
    """What the platform's labels say of a team's definitions and jobs."""
    return {"namespace": "branch/*"} if team == BRANCHES else {"namespace": "production", "location": team}


def _when(
    actions: Sequence[str], resources: Sequence[str], of: str, tags: Mapping[str, str], if_any: bool = False
) -> Any:
    operator = "StringLikeIfExists" if if_any else "StringLike"
    condition = {f"aws:{of}/{name}": value for name, value in tags.items()}
    return iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions={operator: condition})


def _either(*principals: Any) -> Any:
    return iam.CompositePrincipal(*principals)


def _to_tasks(installation: Installation) -> Any:
    """Whoever has a role passed to a task of this account."""
    own = {"StringEquals": {"aws:SourceAccount": installation.account}}
    return iam.ServicePrincipal(TASKS, conditions=own)


def _to_pods(team: str, *accounts: str) -> Any:
    """Pods with one of a team's accounts, in its own Kubernetes namespace, that EKS associates with the role."""
    of_branches = team == BRANCHES
    place = "headrace-branch-*" if of_branches else namespace_of(team, namespaces_of_locations(PRODUCTION))
    names = [f"{account}-*" if of_branches else account_of(account, team) for account in accounts]
    tags = {"aws:RequestTag/kubernetes-namespace": place, "aws:RequestTag/kubernetes-service-account": names}
    return iam.ServicePrincipal(PODS, conditions={"StringLike": tags}).with_session_tags()


def _attach(role: Any, actions: Sequence[str], resource: str) -> None:
    role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=[resource]))


def _log(installation: Installation) -> str:
    return installation.arn("logs", f"log-group:{installation.log_group}:*")
