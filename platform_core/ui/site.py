"""One ASGI application for everything: the page, the UI of the own namespace, and the UI of each branch."""

from collections.abc import Callable, Iterable

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from platform_core.errors import HeadraceError, NamespaceError
from platform_core.namespaces import Namespace
from platform_core.ui.address import PAGE, report_path_of
from platform_core.ui.awake import Awake
from platform_core.ui.deployments import Deployments
from platform_core.ui.page import page_of, page_with
from platform_core.ui.rows import Row

_FRESH = {"Cache-Control": "no-store"}
MOUNTED = ("branch", "user")  # what the path of a deployment begins with: its namespace


class Site:
    """Sends each request to where its path leads.

    Args:
        own: the UI of the namespace that this process is for.
        rows: what the page lists, asked anew each time.
        report: tells as HTML what a branch did to the data.
    """

    def __init__(
        self, own: ASGIApp, deployments: Deployments, rows: Iterable[Row], report: Callable[[Namespace], str]
    ) -> None:
        self._own, self._deployments, self._rows, self._report = own, deployments, rows, report

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        if path.rstrip("/") == PAGE:
            await self._page(scope, receive, send)
        elif path.startswith(f"{PAGE}/"):
            await self._show_report(path, scope, receive, send)
        elif (namespace := _namespace_in(path)) is not None:
            await self._branch(namespace, scope, receive, send)
        else:
            await self._own(scope, receive, send)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        text = await run_in_threadpool(lambda: page_of(self._rows))
        await HTMLResponse(text, headers=_FRESH)(scope, receive, send)

    async def _show_report(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        for deployment, _ in await run_in_threadpool(self._deployments.listed):
            if path == report_path_of(deployment.namespace):
                try:
                    text = await run_in_threadpool(self._report, deployment.namespace)
                except HeadraceError as error:
                    await _refuse(str(error), 503, scope, receive, send)
                else:
                    await HTMLResponse(text, headers=_FRESH)(scope, receive, send)
                return
        await _refuse("There is no such branch deployment.", 404, scope, receive, send)

    async def _branch(self, namespace: Namespace, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            found = await self._awake(namespace)
        except HeadraceError as error:
            await _refuse(str(error), 503, scope, receive, send)
            return
        if found is None or found.is_gone:
            await _refuse(f"There is no branch deployment {namespace}.", 404, scope, receive, send)
            return
        with found.in_use():
            await found.app(scope, receive, send)

    async def _awake(self, namespace: Namespace) -> Awake | None:
        return self._deployments.awake(namespace) or await run_in_threadpool(self._deployments.wake, namespace)


def _namespace_in(path: str) -> Namespace | None:
    kind, _, rest = path.removeprefix("/").partition("/")
    if kind not in MOUNTED:
        return None
    try:
        return Namespace(kind, rest.partition("/")[0])  # type: ignore[arg-type]
    except NamespaceError:
        return None


async def _refuse(sentence: str, status: int, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await HTMLResponse(page_with(sentence), status_code=status)(scope, receive, send)
