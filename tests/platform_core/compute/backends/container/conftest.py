from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from platform_core.compute.backends.container.specification import ATTEMPT_LABEL
from tests.platform_core.compute.backends.container.orders import Heard, a_backend, an_order
from tests.platform_core.compute.support.images import need_engine


@pytest.fixture
def engine() -> Iterator[docker.APIClient]:
    """The engine itself, for what others do to containers; what a test left is removed."""
    client = docker.APIClient(base_url=need_engine(), version="auto", timeout=60)
    yield client
    run = an_order().labels["headrace/run"]
    for left in client.containers(all=True, filters={"label": [ATTEMPT_LABEL]}):
        if left["Labels"].get("headrace/run", "").endswith(run.removeprefix("run-1")):
            client.remove_container(left["Id"], force=True, v=True)
    client.close()


@pytest.fixture
def new_backend(engine: docker.APIClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Heard]]:
    """Makes backends that run the stand-in for the worker."""
    made: list[Heard] = []

    def make(**said: Any) -> Heard:
        made.append(Heard(a_backend(_folder(tmp_path_factory), **said)))
        return made[-1]

    yield make
    for heard in made:
        heard.backend.close()


@pytest.fixture
def heard(new_backend: Callable[..., Heard]) -> Heard:
    return new_backend()


def _folder(factory: pytest.TempPathFactory) -> Path:
    folder = factory.mktemp("stand-in")
    folder.chmod(0o755)
    return folder
