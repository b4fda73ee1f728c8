"""Each request goes where its path leads, and what is not there is told in a sentence."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse

from platform_core.errors import NamespaceError
from platform_core.namespaces import Namespace
from platform_core.ui.site import Site
from tests.platform_core.ui.test_page import ROW

Get = Callable[[str], httpx.Response]


class FakeAwake:
    app = staticmethod(PlainTextResponse("the branch"))
    users = 0
    is_gone = False

    @contextmanager
    def in_use(self) -> Iterator[None]:
        self.users += 1
        yield


class FakeDeployments:
    def __init__(self) -> None:
        self.found: dict[str, FakeAwake] = {}
        self.woken: list[str] = []

    def listed(self) -> list[tuple[Any, None]]:
        return [(SimpleNamespace(namespace=Namespace("branch", name)), None) for name in ("new-engine", "broken")]

    def awake(self, namespace: Namespace) -> FakeAwake | None:
        return self.found.get(str(namespace))

    def wake(self, namespace: Namespace) -> FakeAwake | None:
        self.woken.append(str(namespace))
        if namespace.name == "broken":
            raise NamespaceError("Its code is gone.")
        if namespace.name == "new-engine":
            self.found[str(namespace)] = FakeAwake()
        return self.found.get(str(namespace))


@pytest.fixture
def deployments() -> FakeDeployments:
    return FakeDeployments()


def reported(namespace: Namespace) -> str:
    if namespace.name == "broken":
        raise NamespaceError("It cannot be compared.")
    return f"what {namespace} did"


@pytest.fixture
def site(deployments: FakeDeployments) -> Site:
    standing_in: Any = deployments
    return Site(PlainTextResponse("production"), standing_in, [ROW], reported)


@pytest.fixture
def get(site: Site) -> Get:
    async def answer(path: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://here") as client:
            return await client.get(path)

    return lambda path: asyncio.run(answer(path))


def test_the_page_lists_what_there_is(get: Get) -> None:
    assert "new-engine" in get("/branches").text


@pytest.mark.parametrize("path", ["/", "/assets/flights/x", "/graphql", "/branch", "/user/", "/branchless/x"])
def test_what_names_no_deployment_is_the_own_namespace(path: str, get: Get) -> None:
    assert get(path).text == "production"


def test_a_visit_wakes_a_branch_once(get: Get, deployments: FakeDeployments) -> None:
    assert [get(f"/branch/new-engine{path}").text for path in ("/", "/assets")] == ["the branch"] * 2
    assert deployments.woken == ["branch/new-engine"]
    assert deployments.found["branch/new-engine"].users == 2


def test_a_branch_that_was_closed_a_moment_ago_is_no_error(get: Get, deployments: FakeDeployments) -> None:
    get("/branch/new-engine/")
    deployments.found["branch/new-engine"].is_gone = True
    answer = get("/branch/new-engine/")
    assert (answer.status_code, "There is no branch deployment" in answer.text) == (404, True)


def test_what_is_not_there_is_a_sentence(get: Get) -> None:
    answer = get("/branch/nope/graphql")
    assert answer.status_code == 404
    assert "There is no branch deployment branch/nope." in answer.text


def test_what_cannot_be_served_says_why(get: Get) -> None:
    answer = get("/branch/broken/")
    assert answer.status_code == 503
    assert "Its code is gone." in answer.text


def test_a_socket_to_nowhere_is_closed(site: Site) -> None:
    sent = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    asyncio.run(site({"type": "websocket", "path": "/branch/nope/graphql"}, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize(
    ("name", "status", "told"),
    [("new-engine", 200, "what branch/new-engine did"), ("broken", 503, "It cannot be compared."), ("nope", 404, "no")],
)
def test_the_report_of_a_branch_is_beside_the_page(name: str, status: int, told: str, get: Get) -> None:
    answer = get(f"/branches/branch-{name}/report")
    assert answer.status_code == status
    assert told in answer.text
