"""In front of everything the UI answers: lets in who is known, and says to what comes after who that is."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from platform_core.access.decisions import log_refusal, named, undecided
from platform_core.access.identity import ADMIN, Identity
from platform_core.access.settings import AccessSettings
from platform_core.access.tokens import Verifier
from platform_core.errors import AccessError
from platform_core.settings import login

IDENTITY = "headrace.identity"  # where the scope of a request holds who asks
OPEN = "/server_info"  # says whether the server lives, and its release; probes have no token
POLICY_VIOLATION = 1008  # the code with which a websocket is closed
_HERE = {"localhost", "127.0.0.1", "::1"}

Identify = Callable[[HTTPConnection], Awaitable[Identity]]


class KnownOnly:
    """Refuses requests of somebody unknown, and those that a page of somebody else's makes a browser send.

    Args:
        identify: says who asks, or raises an AccessError.
        origin: where users see the UI, such as https://headrace.example.com, when a proxy hides it.
    """

    def __init__(self, app: ASGIApp, identify: Identify, origin: str = "") -> None:
        self._app, self._identify = app, identify
        self._origin = _origin(origin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        if is_probe(scope):
            await self._app({**scope, IDENTITY: None}, receive, send)
            return
        try:
            self._require_own_page(connection)
            who = await self._identify(connection)
        except AccessError as error:
            log_refusal(named(connection), connection, str(error))
            await _refuse(scope, receive, send, str(error))
            return
        except Exception as error:  # nobody is let in by it
            log_refusal(named(connection), connection, undecided(error))
            raise
        until = receive if scope["type"] == "http" else _until(who.expires, receive)
        await self._app({**scope, IDENTITY: who}, until, send)

    def _require_own_page(self, connection: HTTPConnection) -> None:
        sent = connection.headers.getlist("origin")
        own = {self._origin, (connection.headers.get("host") or "").lower()} - {""}
        if sent and (len(sent) > 1 or _origin(sent[0]) not in own):
            raise AccessError("The request comes from a page of another site.")


def guard(app: ASGIApp, settings: AccessSettings) -> KnownOnly:
    """An application that only those reach whom the settings let in."""
    identify = of_this_machine if settings.access == "local" else _by_token(settings)
    return KnownOnly(app, identify, settings.ui)


async def of_this_machine(connection: HTTPConnection) -> Identity:
    """Whoever uses this machine, with all rights.

    A page of another site may have its name resolved to this machine, and would then be asked for under that name.
    """
    host = urlsplit(f"//{connection.headers.get('host', '')}").hostname
    client = connection.client.host if connection.client else None
    if host not in _HERE or client not in _HERE:
        raise AccessError("This UI is for this machine alone: open it at http://127.0.0.1 or http://localhost.")
    return Identity(login(), frozenset({ADMIN}))


def _by_token(settings: AccessSettings) -> Identify:
    verifier = Verifier(settings)

    async def identify(connection: HTTPConnection) -> Identity:
        values = connection.headers.getlist(settings.access_header)
        if len(values) != 1:
            raise AccessError("There is no token: sign in first." if not values else "There are several tokens.")
        # Keys of the issuer may have to be fetched, which must not hold up everybody else.
        known = verifier.remembered(values[0])
        return known if known is not None else await asyncio.to_thread(verifier.identify, values[0])

    return identify


def is_probe(scope: Scope) -> bool:
    """Whether it is asked whether the server lives, which everybody may."""
    return scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and scope["path"] == OPEN


def _origin(address: str) -> str:
    return urlsplit(address).netloc.lower()


async def _refuse(scope: Scope, receive: Receive, send: Send, reason: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": reason[:100]})
        return
    headers = {"WWW-Authenticate": "Bearer", "Cache-Control": "no-store"}
    await PlainTextResponse(f"{reason}\n", status_code=401, headers=headers)(scope, receive, send)


def _until(expires: float | None, receive: Receive) -> Receive:
    """What arrives until somebody has to prove again who they are; then the connection counts as closed."""
    if expires is None:
        return receive

    async def receive_in_time() -> Any:
        try:
            return await asyncio.wait_for(receive(), max(0.0, expires - time.time()))
        except TimeoutError:
            return {"type": "websocket.disconnect", "code": POLICY_VIOLATION}

    return receive_in_time
