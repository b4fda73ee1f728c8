"""A deployment with two locations, each of a team, whose runs are launched nowhere."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp

from platform_core.access.context import Permitted
from platform_core.access.identity import Identity
from platform_core.access.middleware import KnownOnly
from platform_core.access.webserver import GuardedWebserver
from platform_core.errors import AccessError
from platform_core.namespaces import Namespace
from tests.platform_core.in_process import workspace_in_process
from tests.platform_core.instances import new_instance

HERE = Path(__file__)
JSON = "application/json"
PEOPLE = {
    "nobody": None,
    "viewer": Identity("vera"),
    "team": Identity("finn", frozenset({"team:flight-operations"})),
    "other team": Identity("ava", frozenset({"team:airport-operations"})),
    "production": Identity("piet", frozenset({"production"})),
    "owner": Identity("tess"),
    "admin": Identity("ada", frozenset({"admin"})),
}


def location(name: str) -> dg.Definitions:
    """What each of the two locations declares."""
    parts = dg.DynamicPartitionsDefinition(name=f"{name}_parts")
    months = dg.StaticPartitionsDefinition(["jan", "feb"])

    @dg.asset(key=[name, "one"])
    def one() -> int:
        return 1

    @dg.asset(key=[name, "monthly"], partitions_def=months)
    def monthly() -> int:
        return 1

    @dg.asset(key=[name, "dynamic"], partitions_def=parts)
    def dynamic() -> int:
        return 1

    @dg.asset_check(asset=one, name="fine")
    def fine() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    job = dg.define_asset_job("nightly", dg.AssetSelection.assets(one))

    @dg.sensor(name="watch", job=job)
    def watch() -> dg.SkipReason:
        return dg.SkipReason("nothing")

    schedule = dg.ScheduleDefinition(name="each_night", job=job, cron_schedule="0 0 * * *")
    monthly_job = dg.define_asset_job("by_month", dg.AssetSelection.assets(monthly))
    return dg.Definitions(
        assets=[one, monthly, dynamic], asset_checks=[fine], jobs=[job, monthly_job], schedules=[schedule],
        sensors=[watch],
    )  # fmt: skip


flights, airports = location("flights"), location("airports")


@dataclass
class World:
    """What tests talk to. `who` is told by a header, which stands for a token here."""

    instance: dg.DagsterInstance
    process: Any
    app: ASGIApp

    async def send(self, method: str, path: str, who: str = "viewer", **options: Any) -> httpx.Response:
        headers = {"x-who": who, **options.pop("headers", {})}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://ui.test") as client:
            return await client.request(method, path, headers=headers, **options)

    async def ask(self, who: str, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        answer = await self.send("POST", "/graphql", who, json={"query": query, "variables": variables or {}})
        found: dict[str, Any] = json.loads(answer.text)
        return found


async def identify(connection: HTTPConnection) -> Identity:
    who = PEOPLE.get(connection.headers.get("x-who", "nobody"))
    if who is None:
        raise AccessError("There is no token: sign in first.")
    return who


@contextmanager
def world(namespace: str, home: Path) -> Iterator[World]:
    settings = {
        "telemetry": {"enabled": False},
        "run_launcher": {"module": "dagster._core.test_utils", "class": "MockedRunLauncher"},
        "run_coordinator": {"module": "dagster._core.run_coordinator", "class": "DefaultRunCoordinator"},
    }
    with (
        new_instance(home, **settings) as instance,
        workspace_in_process(instance, HERE, ("flights", "airports"), Permitted) as process,
    ):
        for verb in ("reload_code_location", "reload_workspace", "shutdown_code_location"):
            setattr(process, verb, lambda *_: None)  # what is loaded in this process cannot be loaded again
        app = GuardedWebserver(process, Namespace.parse(namespace)).create_asgi_app()
        yield World(instance, process, KnownOnly(app, identify))
