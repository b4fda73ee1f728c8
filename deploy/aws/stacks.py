"""The stacks of an installation, in the order in which they are made."""

import json
from pathlib import Path
from typing import Any

from aws_cdk import App, BootstraplessSynthesizer, CfnOutput, Environment, Stack, Tags

from deploy.aws.alarms import alarms
from deploy.aws.cluster import cluster
from deploy.aws.data import data
from deploy.aws.images import images
from deploy.aws.installation import Installation
from deploy.aws.keeping import key_of
from deploy.aws.machines import machines
from deploy.aws.network import network
from deploy.aws.roles import roles
from deploy.aws.settings import output_of

STACKS = ("base", "data", "compute", "teams", "cluster", "alarms")


def stacks(app: Any, installation: Installation) -> dict[str, Any]:
    """All of them by the last word of their name."""
    made = {name: _stack(app, installation, name) for name in STACKS}
    key = key_of(made["base"], installation)
    net = network(made["base"], installation, key)
    kept = data(made["data"], installation, net, key)
    for team, secret in kept.secrets.items():
        CfnOutput(made["data"], output_of(team), value=secret.secret_arn)
    machines(made["compute"], installation, net, key)
    repositories = images(made["compute"], installation, key)
    allowed = roles(made["teams"], installation, key, kept.secrets, repositories)
    cluster(made["cluster"], installation, net, key, allowed)
    alarms(made["alarms"], installation, kept, key)
    return made


def _stack(app: Any, installation: Installation, name: str) -> Any:
    """Without what `cdk bootstrap` would make first: there is no asset, so that any tool can apply the template."""
    made = Stack(
        app,
        name,
        stack_name=installation.name(name),
        env=Environment(account=installation.account, region=installation.region),
        synthesizer=BootstraplessSynthesizer(),
        termination_protection=True,
        analytics_reporting=False,
    )
    for tag, value in {"headrace/namespace": "production", "headrace/owner": "platform"}.items():
        Tags.of(made).add(tag, value)
    return made


def synthesise(installation: Installation, folder: Path) -> list[Path]:
    """Writes the templates, in the order in which they are to be applied."""
    app = App(outdir=str(folder))
    made = stacks(app, installation)
    app.synth()
    return [_dense(folder / f"{made[name].artifact_id}.template.json") for name in STACKS]


def _dense(template: Path) -> Path:
    """Without the spaces for people: what is sent with a command may have 51,200 bytes."""
    template.write_text(json.dumps(json.loads(template.read_text()), separators=(",", ":")))
    return template
