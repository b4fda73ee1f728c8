"""`python -m platform_core.access.scraping`: metrics for Prometheus, to those who may see the deployment."""

import hmac
import logging
import sys
import threading

import click
import dagster as dg
import uvicorn
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from platform_core.access.decisions import write_decisions_to
from platform_core.access.middleware import guard, is_probe
from platform_core.access.settings import AccessSettings, access_settings
from platform_core.catalog.opening import open_catalog
from platform_core.errors import HeadraceError
from platform_core.instance import prepare_dagster_home
from platform_core.logs import configure
from platform_core.metrics.exposition import CONTENT_TYPE, Metrics
from platform_core.settings import Settings, current_settings, read_settings

PATH = "/metrics"
LINGER = 2  # seconds that a scrape may take to end


class ScrapeSettings(BaseSettings):
    """Who may scrape besides those whom the UI lets in. Empty variables count as not set."""

    model_config = SettingsConfigDict(env_prefix="HEADRACE_", env_ignore_empty=True, frozen=True, extra="ignore")

    metrics_token: SecretStr = Field(
        default=SecretStr(""), description="What Prometheus sends as `Authorization: Bearer ...`."
    )

    @property
    def expected(self) -> bytes:
        """The whole header; empty where nobody is let in by one."""
        token = self.metrics_token.get_secret_value()
        return f"Bearer {token}".encode() if token else b""


class Scraped:
    """Answers /metrics, and hands everything else on. It asks nobody who they are: a guard is in front of it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_scrape(scope):
            await self._app(scope, receive, send)
            return
        text = await run_in_threadpool(self._metrics.text)
        await Response(text, media_type=CONTENT_TYPE)(scope, receive, send)


class ByToken:
    """Lets a scrape pass that has the token of Prometheus; everything else has to get past the guard.

    Args:
        inside: answers scrapes.
        guarded: answers everything, to those whom it lets in.
    """

    def __init__(self, inside: ASGIApp, guarded: ASGIApp, settings: ScrapeSettings) -> None:
        self._inside, self._guarded, self._expected = inside, guarded, settings.expected

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_token = _is_scrape(scope) and self._is_expected(HTTPConnection(scope))
        await (self._inside if has_token else self._guarded)(scope, receive, send)

    def _is_expected(self, connection: HTTPConnection) -> bool:
        sent = connection.headers.get("authorization", "").encode()
        return bool(self._expected) and hmac.compare_digest(sent, self._expected)


def with_metrics(app: ASGIApp, instance: dg.DagsterInstance, settings: Settings, access: AccessSettings) -> ASGIApp:
    """An application that tells metrics at /metrics, behind the guard that everything of it is behind.

    Raises:
        SettingsError: the token cannot be used.
    """
    metrics = Metrics(instance, open_catalog(settings.catalog), settings.writes_to)
    threading.Thread(target=metrics.warm, name="metrics", daemon=True).start()
    inside = Scraped(app, metrics)
    return ByToken(inside, guard(inside, access), read_settings(ScrapeSettings))


async def _nothing_else(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    elif is_probe(scope):
        await PlainTextResponse("It lives.\n")(scope, receive, send)
    else:
        await PlainTextResponse(f"Metrics are at {PATH}.\n", status_code=404)(scope, receive, send)


def _is_scrape(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and scope["path"] == PATH


@click.command()
@click.option("--host", default="127.0.0.1")
@click.option("--port", default=9464)
def main(host: str, port: int) -> None:
    """Tells metrics of HEADRACE_NAMESPACE to those whom HEADRACE_ACCESS lets in, or who have HEADRACE_METRICS_TOKEN."""
    configure()
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    try:
        _serve(host, port)
    except HeadraceError as error:
        print(f"✗ {error}", file=sys.stderr)
        sys.exit(2)


def _serve(host: str, port: int) -> None:
    settings, access = current_settings(), access_settings()
    access.require_host(host)
    write_decisions_to(access.log_in(settings.home))
    with dg.DagsterInstance.from_config(str(prepare_dagster_home(settings))) as instance:
        app = with_metrics(_nothing_else, instance, settings, access)
        print(f"Metrics of {settings.namespace} are at http://{host}:{port}{PATH}", flush=True)
        options = {"log_level": "warning", "lifespan": "off", "timeout_graceful_shutdown": LINGER}
        uvicorn.run(app, host=host, port=port, **options)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
