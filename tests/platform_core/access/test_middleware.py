"""What every request has to pass, whatever it asks for."""

import asyncio
import json
import time
from typing import Any

import httpx
import pytest

from platform_core.access.identity import ADMIN, Identity
from platform_core.access.middleware import IDENTITY, KnownOnly, guard
from platform_core.access.settings import AccessSettings
from platform_core.settings import login


async def tells_who(scope: Any, receive: Any, send: Any) -> None:
    who = scope[IDENTITY]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"{who.user} {sorted(who.roles)}".encode()})


def always(who: Identity) -> Any:
    async def identify(_: Any) -> Identity:
        return who

    return identify


def get(app: Any, address: str, client: str = "127.0.0.1", **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(client, 1))
        async with httpx.AsyncClient(transport=transport) as caller:
            return await caller.get(address, headers=headers)

    return asyncio.run(ask())


@pytest.mark.parametrize("host", ["127.0.0.1:3000", "localhost:3000", "[::1]:3000"])
def test_who_uses_this_machine_has_all_rights(host: str):
    assert get(guard(tells_who, AccessSettings()), f"http://{host}/x").text == f"{login()} ['{ADMIN}']"


@pytest.mark.parametrize("host", ["evil.test", "localhost.evil.test", "127.0.0.1.evil.test", "10.0.0.1", "0.0.0.0"])
def test_a_name_that_was_made_to_mean_this_machine_is_refused(host: str):
    assert get(guard(tells_who, AccessSettings()), f"http://{host}:3000/").status_code == 401


def test_another_machine_is_refused():
    assert get(guard(tells_who, AccessSettings()), "http://127.0.0.1:3000/", client="10.0.0.9").status_code == 401


def test_an_address_behind_a_proxy_counts_as_the_uis_own():
    app = KnownOnly(tells_who, always(Identity("finn")), "https://headrace.example.com")
    assert get(app, "http://pod:3000/", origin="https://headrace.example.com").status_code == 200
    assert get(app, "http://pod:3000/", origin="https://example.com").status_code == 401


def test_a_websocket_ends_when_its_user_has_to_sign_in_again():
    heard: list[Any] = []

    async def listens(scope: Any, receive: Any, send: Any) -> None:
        heard.append(await receive())

    async def never() -> Any:
        await asyncio.Event().wait()

    app = KnownOnly(listens, always(Identity("finn", expires=time.time() + 0.05)))
    scope = {"type": "websocket", "path": "/graphql", "headers": [], "client": ("127.0.0.1", 1)}
    asyncio.run(app(scope, never, never))  # type: ignore[arg-type]
    assert heard == [{"type": "websocket.disconnect", "code": 1008}]


def test_a_crash_of_what_identifies_lets_nobody_in_and_is_logged(caplog: pytest.LogCaptureFixture):
    async def broken(_: Any) -> Identity:
        raise RuntimeError("no memory")

    with pytest.raises(RuntimeError):
        get(KnownOnly(tells_who, broken), "http://x/")
    [line] = [json.loads(record.message) for record in caplog.records]
    assert (line["decision"], line["what"]) == ("denied", "GET /")
    assert "(RuntimeError)" in line["reason"]


def test_there_is_one_token_or_none(tmp_path):
    keys = tmp_path / "keys.json"
    keys.write_text('{"keys": []}')
    settings = AccessSettings(access="oidc", access_issuer="i", access_audience="a", access_keys=str(keys))
    app = guard(tells_who, settings)
    assert "no token" in get(app, "http://x/").text

    async def twice() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as caller:
            return await caller.get("http://x/", headers=[("authorization", "a"), ("authorization", "b")])

    assert "several" in asyncio.run(twice()).text
