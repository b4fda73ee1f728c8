"""The deployments that every test of this folder runs on, one after the other."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.platform_core.compute.behaviour.places import PLACES, Place
from tests.platform_core.compute.behaviour.worlds import Ran, World, a_world

# What is told by one run, as starting processes takes longer than what they do.
MAIN = (
    *("numbers", "doubled", "reported", "surroundings", "chatter", "faulty", "killed_once", "second_try", "optional"),
    *("after_optional", "alone", "also_alone", "too_large"),
)
ENDLESS = ("endless_in_python", "endless_in_c", "endless_in_a_child")


@pytest.fixture(scope="session", params=list(PLACES))
def deployment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("behaviour")
    with ExitStack() as stack:
        place: Place = stack.enter_context(PLACES[request.param](folder))
        yield stack.enter_context(a_world(folder, {place.name: place}))


@pytest.fixture(scope="session")
def main(deployment: World) -> Ran:
    """One run of most steps, well-behaved and not."""
    tells_of_timeouts = "exit codes" not in deployment.place.lacks
    return deployment.run(*MAIN, *(ENDLESS if tells_of_timeouts else ()))


@pytest.fixture
def world(deployment: World, settings: object, monkeypatch: pytest.MonkeyPatch) -> World:
    """The deployment, whose catalog and store this process reads."""
    return seen_by_this_process(deployment, monkeypatch)


def seen_by_this_process(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    for name, value in world.environment.items():
        if name.startswith("HEADRACE_"):
            monkeypatch.setenv(name, value)
    return world


@pytest.fixture
def mixed(tmp_path: Path, settings: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A deployment with every backend that this machine has."""
    with ExitStack() as stack:
        places: dict[str, Place] = {}
        for name in ("local", "container", "kubernetes", "batch"):
            try:
                places[name] = stack.enter_context(PLACES[name](tmp_path))
            except pytest.skip.Exception:
                continue
        world = stack.enter_context(a_world(tmp_path, places))
        yield seen_by_this_process(world, monkeypatch)
