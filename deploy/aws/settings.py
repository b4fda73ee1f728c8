"""What the platform's processes are told of an installation: variables that its settings read."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from deploy.aws.installation import BRANCHES, CORE, Installation
from platform_core.catalog.access import grants, role_of
from platform_core.errors import NotFoundError, SettingsError, listed
from platform_core.instance_settings import PASSWORD, SCHEMA, URL
from platform_core.namespaces import PRODUCTION

DATABASE, POSTGRES = "headrace", 5432
DIGESTS = "/etc/headrace/images.json"  # where deploy/kubernetes puts the notes of what was built
_HANDED_ON = ("HEADRACE_CATALOG", URL, PASSWORD)  # to steps on other machines


def shared_settings(installation: Installation) -> dict[str, str]:
    """For `deploy/kubernetes/overlays/production/settings/settings.env`: what all processes have alike."""
    return {
        "HEADRACE_NAMESPACE": "production",
        "HEADRACE_STORE": installation.store,
        "HEADRACE_COMPUTE": "batch",
        "HEADRACE_BATCH_QUEUE": installation.name("on-demand"),
        "HEADRACE_BATCH_SPOT_QUEUE": installation.name("spot"),
        "HEADRACE_BATCH_GPU_QUEUE": installation.name("gpu"),
        "HEADRACE_BATCH_LOG_GROUP": installation.log_group,
        "HEADRACE_IMAGES": f"{installation.registry}/{installation.images}",
        "HEADRACE_IMAGE_DIGESTS": DIGESTS,
        "HEADRACE_RUNS": "kubernetes",
        "HEADRACE_RUNS_NAMESPACE": "headrace-{location}",
        "AWS_REGION": installation.region,
        **({"HEADRACE_UI": installation.ui} if installation.ui else {}),
    }


def team_settings(installation: Installation, team: str, outputs: Mapping[str, str]) -> dict[str, str]:
    """For the Secret `headrace` of a team's Kubernetes namespace, beside what Secrets Manager holds for it.

    Args:
        outputs: of the stacks, by name.

    Raises:
        NotFoundError: no such team, or the stacks are not there yet.
    """
    if team not in installation.teams:
        raise NotFoundError(f"There is no location '{team}'; there are: {listed(installation.teams)}.")
    secret = outputs.get(output_of(team))
    if secret is None:
        raise NotFoundError(f"No stack has the output {output_of(team)}: the stack {installation.name('data')} has it.")
    names = [name for name in _HANDED_ON if name in addresses(team, "", "")]
    return {
        "HEADRACE_BATCH_FOLDER": installation.folder(team),
        "HEADRACE_BATCH_JOB_ROLE": installation.role(team, "steps"),
        "HEADRACE_BATCH_EXECUTION_ROLE": installation.role(team, "start"),
        "HEADRACE_BATCH_SECRETS": json.dumps({name: f"{secret}:{name}::" for name in names}),
    }


def addresses(team: str, password: str, host: str, port: int = POSTGRES) -> dict[str, str]:
    """What Secrets Manager holds for a team: its variables that have a password in them."""
    url = f"postgresql://{login_of(team)}:{password}@{host}:{port}/{DATABASE}?sslmode=require"
    both = {"HEADRACE_CATALOG": url, "HEADRACE_DAGSTER": url, PASSWORD: password}
    if team == BRANCHES:  # each of which has a schema of its own
        return both
    return both | {URL: f"{url}&options=-csearch_path%3D{SCHEMA}"}  # as processes make it of the above


def login_of(team: str) -> str:
    """The login of a team, which works as the role of its namespace."""
    return f"team_{team.replace('-', '_')}"


def logins(installation: Installation) -> str:
    """A script for psql and the administrator: lets each team's login in, with the password that was made for it."""
    role = role_of(PRODUCTION)
    lines = [grants(PRODUCTION), f'GRANT CREATE ON DATABASE {DATABASE} TO "{role}";']
    for team in (CORE, *installation.teams):
        secret, login = f"{installation.name()}/{team}/password", login_of(team)
        ask = f"aws secretsmanager get-secret-value --secret-id {secret} --query SecretString --output text"
        lines += [
            f"\\set word `{ask}`",
            f"DO $$ BEGIN CREATE ROLE {login}; EXCEPTION WHEN duplicate_object THEN NULL; END $$;",
            f"ALTER ROLE {login} LOGIN PASSWORD :'word';",
            *([] if team == BRANCHES else _acting_as(login, role)),
        ]
    return "\n".join(lines) + "\n"


def _acting_as(login: str, role: str) -> list[str]:
    """So that what one team's process makes in Dagster's schema is everybody's, and rights are the namespace's."""
    return [f'GRANT "{role}" TO {login};', f"ALTER ROLE {login} SET role TO '{role}';"]


def output_of(team: str) -> str:
    """The output of the stack with the ARN of a team's secret. Such names have letters and digits alone."""
    return "Settings" + "".join(word.title() for word in team.replace("_", "-").split("-"))


def outputs_in(text: str) -> dict[str, str]:
    """The outputs of all stacks in what `aws cloudformation describe-stacks` prints.

    Raises:
        SettingsError: the text is something else.
    """
    try:
        stacks: Iterable[Mapping[str, Any]] = json.loads(text)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for stack in stacks for one in stack.get("Outputs", ())}
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError("This is not what `aws cloudformation describe-stacks --output json` prints.") from error


def as_lines(settings: Mapping[str, str]) -> str:
    """As files of variables have them."""
    return "".join(f"{name}={value}\n" for name, value in settings.items())
