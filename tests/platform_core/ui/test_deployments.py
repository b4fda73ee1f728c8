"""Branches are woken by visits, sleep when nobody comes, and are let go when they are closed."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from platform_core.catalog.branch_values import Branch
from platform_core.catalog.catalog import Catalog
from platform_core.errors import NamespaceError
from platform_core.namespaces import Namespace
from platform_core.settings import Settings
from platform_core.ui import deployments as module
from platform_core.ui.deployments import Deployments

BRANCH = Namespace("branch", "new-engine")


class FakeAwake:
    def __init__(self, deployment: Any, _zygotes: Any, *, ready: Callable[[], None], **_given: Any) -> None:
        ready()
        self.namespace, self.idle, self.closed = deployment.namespace, False, False
        deployment.dagster_home.mkdir(parents=True, exist_ok=True)

    def is_idle(self, _seconds: float) -> bool:
        return self.idle

    def close(self) -> None:
        self.closed = True


class FakeProduction:
    def __init__(self) -> None:
        self.prepared: list[str] = []

    def prepare(self, deployment: Any) -> None:
        self.prepared.append(str(deployment.namespace))


@pytest.fixture
def production() -> FakeProduction:
    return FakeProduction()


@pytest.fixture
def deployments(settings: Settings, production: FakeProduction, monkeypatch: pytest.MonkeyPatch) -> Deployments:
    nothing: Any = None
    standing_in: Any = production
    monkeypatch.setattr(module, "Awake", FakeAwake)
    monkeypatch.setattr(module, "ready_code", lambda deployment, say: None)
    return Deployments(settings, nothing, standing_in, empty=nothing, variables={}, checkouts=threading.Lock())


def begin(catalog: Catalog, settings: Settings, namespace: Namespace = BRANCH, checkout: str = "") -> None:
    checkout = checkout or str(settings.repository)
    catalog.open_branch(Branch(str(namespace), namespace.name, "c0ffee", checkout, None))


def end(catalog: Catalog, namespace: Namespace = BRANCH) -> None:
    catalog.close_namespace(namespace)
    catalog.remove_branch(namespace)


def woken(deployments: Deployments) -> Any:
    found = deployments.wake(BRANCH)
    assert found is not None
    return found


def test_there_is_nothing_to_wake_before_it_is_opened(
    deployments: Deployments, catalog: Catalog, settings: Settings
) -> None:
    assert deployments.wake(BRANCH) is None
    begin(catalog, settings)
    assert deployments.awake(BRANCH) is None
    assert woken(deployments) is woken(deployments) is deployments.awake(BRANCH)


def test_visits_at_once_wake_it_once(deployments: Deployments, catalog: Catalog, settings: Settings) -> None:
    begin(catalog, settings)
    found: list[Any] = []
    visits = [threading.Thread(target=lambda: found.append(deployments.wake(BRANCH))) for _ in range(5)]
    for visit in visits:
        visit.start()
    for visit in visits:
        visit.join()
    assert len(set(map(id, found))) == 1


def test_who_is_idle_sleeps_until_the_next_visit(
    deployments: Deployments, catalog: Catalog, settings: Settings
) -> None:
    begin(catalog, settings)
    first = woken(deployments)
    deployments.look()
    assert not first.closed
    first.idle = True
    deployments.look()
    assert first.closed
    assert deployments.awake(BRANCH) is None
    assert woken(deployments) is not first
    assert settings.home.joinpath("dagster", BRANCH.slug).exists()


def test_what_was_closed_is_let_go_and_leaves_nothing(
    deployments: Deployments, catalog: Catalog, settings: Settings
) -> None:
    begin(catalog, settings)
    first = woken(deployments)
    end(catalog)
    deployments.look()
    assert first.closed
    assert deployments.wake(BRANCH) is None
    assert not settings.home.joinpath("dagster", BRANCH.slug).exists()


def test_what_is_half_closed_is_not_served(deployments: Deployments, catalog: Catalog, settings: Settings) -> None:
    begin(catalog, settings)
    catalog.close_namespace(BRANCH)
    assert deployments.wake(BRANCH) is None


def test_one_that_was_closed_and_opened_between_two_looks_is_another_one(
    deployments: Deployments, catalog: Catalog, settings: Settings
) -> None:
    begin(catalog, settings)
    first = woken(deployments)
    end(catalog)
    begin(catalog, settings)
    deployments.look()
    assert first.closed


def test_other_code_is_served_anew(deployments: Deployments, catalog: Catalog, settings: Settings) -> None:
    begin(catalog, settings)
    first = woken(deployments)
    catalog.move_branch(Branch(str(BRANCH), BRANCH.name, "c0ffee", str(settings.home), None))
    deployments.look()
    assert first.closed


def test_the_namespace_of_the_ui_itself_is_not_served_twice(
    deployments: Deployments, catalog: Catalog, settings: Settings
) -> None:
    begin(catalog, settings, settings.writes_to)
    assert deployments.wake(settings.writes_to) is None


def test_a_new_branch_is_got_ready_for(
    deployments: Deployments, catalog: Catalog, settings: Settings, production: FakeProduction
) -> None:
    begin(catalog, settings)
    deployments.look()
    deployments.look()
    assert production.prepared == [str(BRANCH)]


def test_code_that_is_not_ready_is_told_and_tried_again(
    deployments: Deployments, catalog: Catalog, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(catalog, settings)

    def gone(*_: Any) -> None:
        raise NamespaceError("The code is gone.")

    with monkeypatch.context() as patch:
        patch.setattr(module, "ready_code", gone)
        with pytest.raises(NamespaceError, match="The code is gone"):
            deployments.wake(BRANCH)
    assert woken(deployments)
