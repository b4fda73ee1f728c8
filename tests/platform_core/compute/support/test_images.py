"""The image of the tests runs this repository's worker."""

import docker
import pytest

from platform_core.compute.attempts import WORKER
from tests.platform_core.compute.support.images import FOLDERS, IMAGE, VARIABLES, need_engine, why_no_engine


@pytest.fixture
def engine():
    client = docker.DockerClient(base_url=need_engine(), version="auto")
    yield client
    client.close()


def test_the_worker_and_dagster_can_be_imported_in_the_image(engine):
    import_all = f"import dagster, pyarrow, {WORKER[1]}; print(dagster.__version__)"
    volumes = {str(folder): {"bind": str(folder), "mode": "ro"} for folder in FOLDERS}
    variables = dict(VARIABLES)
    printed = engine.containers.run(
        IMAGE, ["python", "-c", import_all], volumes=volumes, environment=variables, network_mode="none", remove=True
    )
    assert printed.strip()


def test_what_is_missing_without_an_engine_is_said(monkeypatch):
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    assert why_no_engine.__wrapped__() == "no container engine: DOCKER_HOST is not set"
