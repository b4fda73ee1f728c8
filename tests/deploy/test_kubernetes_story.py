"""In a real cluster the platform comes up, a run goes through, a location is rolled out, a branch comes and goes."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy import create_engine

from platform_core.catalog.opening import open_catalog
from platform_core.cluster.branches import SECRETS
from platform_core.cluster.kubectl import Kubectl
from platform_core.environments.images.names import image_of, image_settings
from platform_core.kubernetes_names import MANAGED
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.settings import as_if_in
from tests.deploy.installation import (
    SCRAPING,
    Installation,
    applied,
    call_image,
    installed,
    namespaces,
    route,
    secret,
    write_overlay,
)
from tests.deploy.reach import PROXY, SCRAPER, STRANGER, tried
from tests.deploy.reaching import Graphql, wait_for
from tests.deploy.small_production import API_PORT, IMAGES, METRICS_PORT, OWNERS
from tests.end_to_end.small_repository import commit, git
from tests.platform_core.compute.support.images import REPOSITORY

AWAY = 20  # seconds; who asks after runs asks every five
SPACES = ("headrace", "headrace-flights", "headrace-platform")

LOCATIONS = """query { workspaceOrError { ... on Workspace { locationEntries {
  name locationOrLoadError { __typename ... on PythonError { message } } } } } }"""
LAUNCH = """mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  ... on UnauthorizedError { message } ... on InvalidSubsetError { message } } }"""
RUN = """query ($id: ID!) { runOrError(runId: $id) { ... on Run { status eventConnection(limit: 500) {
  events { ... on MessageEvent { message } ... on ErrorEvent { error { message stack } } } } } } }"""


@pytest.fixture
def installation() -> Iterator[Installation]:
    with installed() as one:
        yield one


def test_the_platform_in_a_cluster(installation: Installation) -> None:
    one = installation
    applied(one)
    ask = Graphql(one.address())
    await_locations(ask)
    run = run_while_the_api_is_away(one, ask, "flights")
    jobs = made_in("headrace-flights", one)
    assert [name for name in jobs if name.startswith("dagster-run-")] == [f"dagster-run-{run}"]  # was not resumed
    assert len(jobs) == 2  # and one of the step
    shown = open_catalog(one.variables["HEADRACE_CATALOG"])
    assert shown.history(PRODUCTION, "flights/numbers")
    assert 'headrace_runs{status="success"} 1.0' in scraped(one)
    see_who_reaches_whom(one)
    roll_out_platform(one, ask)
    open_and_close_a_branch(one)


def await_locations(ask: Graphql) -> None:
    def loaded() -> bool:
        entries = ask(LOCATIONS)["workspaceOrError"]["locationEntries"]
        kinds = {entry["name"]: (entry["locationOrLoadError"] or {}).get("__typename") for entry in entries}
        return kinds == dict.fromkeys(OWNERS, "RepositoryLocation")

    wait_for(loaded, 60, lambda: str(ask(LOCATIONS)))


def run_while_the_api_is_away(one: Installation, ask: Graphql, location: str) -> str:
    """Launches what a click in the UI would, keeps all pods from the API while its step runs, and waits for its end."""
    selector = {
        "repositoryLocationName": location, "repositoryName": "__repository__", "jobName": "__ASSET_JOB",
        "assetSelection": [{"path": [location, "numbers"]}], "assetCheckSelection": [],
    }  # fmt: skip
    told = ask(LAUNCH, params={"selector": selector, "runConfigData": {}, "mode": "default"})["launchRun"]
    assert told["__typename"] == "LaunchRunSuccess", told
    identity = str(told["run"]["runId"])

    def state() -> Any:
        return ask(RUN, id=identity)["runOrError"]

    def said() -> str:
        return str(state()["eventConnection"]["events"])

    wait_for(lambda: "Started execution of step" in said(), told=said)
    with one.network.cut_off(API_PORT) if one.network else nullcontext():
        time.sleep(AWAY)
    ended = wait_for(
        lambda: state()["status"] in ("SUCCESS", "FAILURE", "CANCELED") and state(), told=lambda: str(state())
    )
    assert ended["status"] == "SUCCESS", "\n".join(map(str, ended["eventConnection"]["events"]))
    return identity


def made_in(namespace: str, one: Installation) -> list[str]:
    """The Jobs that there were in a namespace, as its events tell."""
    events = one.core.list_namespaced_event(namespace).items
    return sorted({event.involved_object.name for event in events if event.involved_object.kind == "Job"})


def scraped(one: Installation) -> str:
    """What Prometheus gets."""
    address = f"http://127.0.0.1:{one.service('headrace', 'metrics', METRICS_PORT)}/metrics"
    answer = httpx.get(address, headers={"Authorization": f"Bearer {SCRAPING}"}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.text


def see_who_reaches_whom(one: Installation) -> None:
    """Nobody, but for what the processes need."""
    outside, code = {"databases", "the API"}, {"flights", "platform"}
    with tried(one.core) as reach:
        beyond = outside | {"some service", "metadata"} & {*reach.addresses}  # of pods to which nothing of ours is said
        assert {name: reach.of(name) for name in reach.pods} == {
            "webserver": outside | code,
            "daemon": outside | code,
            "metrics": outside,
            "flights": outside,
            "platform": outside,
            PROXY: beyond | {"webserver"},
            SCRAPER: beyond | {"metrics"},
            STRANGER: beyond,
        }


def roll_out_platform(one: Installation, ask: Graphql) -> None:
    """Its pod has the new image; those of the others are the same as before."""
    before = {space: one.pods(space) for space in SPACES}
    one.images["platform"] = "localhost/python:next"
    call_image(one, one.images["platform"])
    write_overlay(one)
    applied(one, "platform")
    wait_for(lambda: all(len(one.pods(space)) == len(before[space]) for space in SPACES))  # the old pod takes a while
    after = {space: one.pods(space) for space in SPACES}
    assert {space: after[space] for space in SPACES[:2]} == {space: before[space] for space in SPACES[:2]}
    assert set(after["headrace-platform"].values()) == {one.images["platform"]}
    assert not set(after["headrace-platform"]) & set(before["headrace-platform"])
    await_locations(ask)


def open_and_close_a_branch(one: Installation) -> None:
    """It answers when the command ends, and leaves nothing; production's pods are the same all the while."""
    branch, before = Namespace("branch", "new-engine"), {space: one.pods(space) for space in SPACES}
    git(one.repository, "init", "--quiet", "--initial-branch", "main")
    commit(one.repository, "The beginning")
    git(one.repository, "switch", "--quiet", "--create", "new-engine")
    for image in images_of(one):
        call_image(one, image)
    route(one, branch)
    keep_secret_of_branches(one)
    opened = command(one, "branch", "open")
    assert "kubectl -n headrace-branch-new-engine port-forward" in opened
    await_locations(Graphql(one.address(branch)))
    assert "dagster_branch_new_engine" in schemas(one)
    assert "is closed" in command(one, "branch", "close", "new-engine")
    left = [name for name in namespaces(one.core) if name not in (*SPACES, "headrace-branches")]
    assert not left
    assert "dagster_branch_new_engine" not in schemas(one)
    assert {space: one.pods(space) for space in SPACES} == before


def images_of(one: Installation) -> set[str]:
    """What the branch asks for, as if it had been built."""
    image_settings.cache_clear()
    with as_if_in({"HEADRACE_REPOSITORY": str(one.repository), "HEADRACE_IMAGES": IMAGES}):
        found = {image_of(name) for name in OWNERS} | {image_of("platform", ("server",))}
    image_settings.cache_clear()
    return found


def keep_secret_of_branches(one: Installation) -> None:
    """What whoever runs the installation makes once."""
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SECRETS, "labels": MANAGED}}
    Kubectl().apply(yaml.safe_dump_all([space, secret(one, SECRETS)]))


def command(one: Installation, *arguments: str) -> str:
    """The `headrace` command of a platform engineer."""
    config = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text())
    settings = {
        **one.variables, "HEADRACE_HOME": str(one.folder / "home"), "HEADRACE_REPOSITORY": str(one.repository),
        "HEADRACE_CLUSTER": config["current-context"], "HEADRACE_IMAGES": IMAGES, "LOGNAME": "finn",
        "HEADRACE_NAMESPACE": "user/finn", "PYTHONPATH": str(REPOSITORY), "COLUMNS": "200",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", "from platform_core.cli.main import main; main()", *arguments],
        cwd=one.repository, env={**os.environ, **settings}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def schemas(one: Installation) -> set[str]:
    engine = create_engine(one.variables["HEADRACE_CATALOG"])
    with engine.connect() as connection:
        found = set(connection.exec_driver_sql("SELECT nspname FROM pg_namespace").scalars())
    engine.dispose()
    return found
