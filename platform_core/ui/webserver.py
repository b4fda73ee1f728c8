"""Dagster's webserver, of which several live in one process, each saying which namespace it shows."""

from functools import lru_cache
from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp

from platform_core.access.schema import guarded_schema
from platform_core.access.webserver import GuardedWebserver
from platform_core.namespaces import Namespace
from platform_core.ui.address import PAGE

POLL = 2000  # milliseconds between two looks of an open page, as `dagster dev` has it
_BADGE = (
    '<a href="{page}" title="All deployments" style="position:fixed;top:0;left:50%;transform:translateX(-50%);'
    "z-index:30;padding:2px 14px 3px;border-radius:0 0 8px 8px;font:12px/18px sans-serif;color:#fff;"
    'text-decoration:none;background:{color}" data-headrace="namespace">{namespace}</a>'
)
_COLORS = {"production": "#b3261e", "user": "#5f6368", "branch": "#1a73e8"}


def webserver(workspace: Any, namespace: Namespace, prefix: str = "") -> ASGIApp:
    """The UI of a workspace below a path."""
    return _Webserver(workspace, namespace, prefix, POLL).create_asgi_app()


class _Webserver(GuardedWebserver):
    def build_graphql_schema(self) -> Any:
        return _schema()

    def index_html_endpoint(self, request: Request) -> HTMLResponse:
        page: HTMLResponse = super().index_html_endpoint(request)
        content = bytes(page.body).decode().replace("</body>", f"{_badge(self._namespace)}</body>")
        kept = {name: value for name, value in page.headers.items() if name not in ("content-length", "content-type")}
        return HTMLResponse(content, headers=kept)


@lru_cache(maxsize=1)
def _schema() -> Any:
    """One for all: it takes a tenth of a second to make, and megabytes to keep."""
    return guarded_schema()


def _badge(namespace: Namespace) -> str:
    return _BADGE.format(page=PAGE, color=_COLORS[namespace.kind], namespace=escape(str(namespace)))
