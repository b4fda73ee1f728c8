"""What an installation on AWS tells the platform is what the platform's settings read: the doctor finds it well."""

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from sqlalchemy import make_url

from deploy.aws.installation import BRANCHES, CORE, Installation, read_installation
from deploy.aws.settings import (
    DATABASE,
    addresses,
    as_lines,
    login_of,
    logins,
    output_of,
    shared_settings,
    team_settings,
)
from platform_core.access.settings import AccessSettings
from platform_core.catalog.opening import open_catalog
from platform_core.cluster.settings import ClusterSettings
from platform_core.environments.images.names import ImageSettings
from platform_core.instance_settings import PASSWORD, URL, InstanceSettings
from platform_core.settings import Settings
from resources.compute import ComputeSettings
from tests.platform_core.compute.backends.batch.world import KEYS, make_queue
from tests.platform_core.postgres import Postgres, running_postgres
from tests.platform_core.store.conftest import s3_server
from tests.repository.tree import ROOT

__all__ = ["s3_server"]

TEAM = "flights"
WORD = "Canary0123456789"
READ_BY = (Settings, ComputeSettings, InstanceSettings, AccessSettings, ClusterSettings, ImageSettings)


@pytest.fixture
def installation(monkeypatch: pytest.MonkeyPatch) -> Installation:
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(ROOT))
    return read_installation()


def variables(installation: Installation, team: str, host: str = "db.internal", port: int = 5432) -> dict[str, str]:
    """All that a process of a team has in its environment there."""
    outputs = {output_of(name): f"arn:aws:secretsmanager:x:1:secret:{name}-AbCdEf" for name in installation.teams}
    files = shared_settings(installation), team_settings(installation, team, outputs), addresses(team, WORD, host, port)
    read = dict(line.split("=", 1) for file in files for line in as_lines(file).splitlines())
    assert read == {name: value for file in files for name, value in file.items()}
    return read


@pytest.mark.parametrize("team", [TEAM, BRANCHES])
def test_every_variable_is_one_that_some_setting_reads(installation: Installation, team: str):
    known = {f"HEADRACE_{name.upper()}" for kind in READ_BY for name in kind.model_fields} | {URL, PASSWORD}
    assert set(variables(installation, team)) - known == {"AWS_REGION"}


def test_settings_read_what_they_are_told(installation: Installation, monkeypatch: pytest.MonkeyPatch):
    told = variables(installation, TEAM)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    compute, instance = ComputeSettings(), InstanceSettings()
    assert Settings().store == installation.store
    assert compute.batch_folder.startswith(f"s3://{installation.bucket}/")
    assert set(compute.batch_secrets) == {"HEADRACE_CATALOG", URL, PASSWORD}
    assert all(arn.endswith(f":{name}::") for name, arn in compute.batch_secrets.items())
    # What a step elsewhere gets as a secret is what the process that starts it would have made.
    assert make_url(told[URL]) == make_url(instance.url)
    assert told[PASSWORD] == instance.password


@pytest.fixture
def database() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


def test_the_doctor_finds_it_well(
    installation: Installation, database: Postgres, s3_server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """Bucket, queue, database and logins are called as in the templates; the servers are the tests' own."""
    aws = {**KEYS, "AWS_DEFAULT_REGION": installation.region, "AWS_ENDPOINT_URL": s3_server}
    for name, value in aws.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(
        Bucket=installation.bucket, CreateBucketConfiguration={"LocationConstraint": installation.region}
    )
    make_queue(installation.name("on-demand"))
    port = stood_up(database, installation, tmp_path)
    told = {
        name: value.replace("sslmode=require", "sslmode=disable")
        for name, value in variables(installation, TEAM, "127.0.0.1", port).items()
    }
    found = doctor({**aws, **told, "HEADRACE_HOME": str(tmp_path / "home"), "HEADRACE_REPOSITORY": str(ROOT)})
    for part in ("catalog", "store", "clocks", "Dagster's storage", "backend batch"):
        assert next(one["state"] for one in found if one["part"] == part) == "fine", (part, found)
    assert {one["part"] for one in found if one["state"] == "wrong"} == {"daemon"}  # nobody started one
    assert WORD not in json.dumps(found)


def stood_up(database: Postgres, installation: Installation, folder: Path) -> int:
    """The administrator's part: the catalog, and the script that lets the teams in. Returns the server's port."""
    port = database.listen("administrator")
    database.run(f"CREATE DATABASE {DATABASE}")
    there = make_url(database.url).set(database=DATABASE)
    open_catalog(there.render_as_string(hide_password=False))
    aws = folder / "aws"
    aws.write_text(f'#!/bin/sh\ncase "$*" in *--secret-id*password*) echo {WORD};; *) exit 1;; esac\n')
    aws.chmod(aws.stat().st_mode | stat.S_IXUSR)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "PGPASSWORD": "administrator"}
    command = [
        str(database.programs / "psql"),
        "-v",
        "ON_ERROR_STOP=1",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
        "-U",
        str(there.username),
        DATABASE,
    ]
    for _ in range(2):  # it may be run again
        done = subprocess.run(
            command, input=logins(installation), env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    roles = database.run("SELECT rolname FROM pg_roles WHERE rolcanlogin AND starts_with(rolname, 'team_')")
    assert set(roles) == {login_of(team) for team in (CORE, *installation.teams)}
    return port


def doctor(variables: dict[str, str]) -> list[dict[str, str]]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HEADRACE_", "DAGSTER_", "AWS_"))}
    command = [str(ROOT / ".venv" / "bin" / "headrace"), "doctor", "--no-code", "--json"]
    done = subprocess.run(command, env={**kept, **variables}, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found
