"""The sensor tells through a real receiver, once, and keeps what did not arrive for the next time."""

import json
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import dagster as dg
import pytest
import yaml

from platform_core.alerts.sensor import _is_first, alert_sensor, tell
from platform_core.locations import all_locations
from resources.notifier import AppriseNotifier, LogNotifier
from tests.platform_core.alerts.test_watch import Daily, assets, watch
from tests.platform_core.instances import new_instance
from tests.platform_core.runs import run


class Receiver(HTTPServer):
    """Takes what is posted, and counts heartbeats; refuses while `down`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.posted: list[dict[str, Any]] = []
        self.beats = 0
        self.down = False

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.server.down:
            self.server.posted.append(json.loads(body))
        self.send_response(500 if self.server.down else 200)
        self.end_headers()

    def do_GET(self) -> None:
        self.server.beats += 1
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        return None


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    pytest.importorskip("apprise", reason="apprise is not installed: uv sync --extra alerts")
    server = Receiver()
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with new_instance(tmp_path / "instance") as made:
        yield made


def tick(instance: dg.DagsterInstance, notifier: Any, cursor: str | None = None) -> tuple[str, str | None]:
    sensor = alert_sensor("t")
    definitions = dg.Definitions(assets=assets(), sensors=[sensor], resources={"notifier": notifier})
    repository = definitions.get_repository_def()
    with dg.build_sensor_context(
        instance, cursor, repository_def=repository, resources={"notifier": notifier}
    ) as context:
        said: Any = sensor(context)
        return str(said.skip_message), context.cursor


def test_a_failure_reaches_its_owner_once_and_so_does_recovery(
    instance: dg.DagsterInstance, receiver: Receiver, tmp_path: Path
) -> None:
    file = tmp_path / "owners.yaml"
    file.write_text(yaml.safe_dump({"team:x": [f"json://{receiver.address}/x"], "default": "json://127.0.0.1:1/"}))
    notifier = AppriseNotifier(file=str(file), heartbeat=f"http://{receiver.address}/beat")
    run(*assets(fails=True), on=instance)
    said, cursor = tick(instance, notifier)
    assert said == "1 problems last; 1 messages were sent."
    (posted,) = receiver.posted
    assert posted["title"] == "Headrace: t/base needs you"
    for needed in ("the file is gone", "team:x", "blocked downstream: t/after, t/last", "/runs/"):
        assert needed in posted["message"]
    said, cursor = tick(instance, notifier, cursor)
    assert said == "1 problems last; 0 messages were sent."
    run(*assets(), on=instance)
    tick(instance, notifier, cursor)
    assert "t/base is well again" in receiver.posted[-1]["message"]
    assert len(receiver.posted) == 2
    assert receiver.beats == 3


def test_what_did_not_arrive_is_told_again(instance: dg.DagsterInstance, receiver: Receiver, tmp_path: Path) -> None:
    file = tmp_path / "owners.yaml"
    file.write_text(yaml.safe_dump({"default": f"json://{receiver.address}/x"}))
    run(*assets(fails=True), on=instance)
    receiver.down = True
    with pytest.raises(Exception, match="Nobody took the message for team:x"):
        tick(instance, AppriseNotifier(file=str(file)))
    receiver.down = False
    tick(instance, AppriseNotifier(file=str(file)))
    assert len(receiver.posted) == 1


def test_the_owner_is_told_of_a_deadline_that_was_missed_and_once_only(
    instance: dg.DagsterInstance, receiver: Receiver, tmp_path: Path
) -> None:
    file = tmp_path / "owners.yaml"
    file.write_text(yaml.safe_dump({"team:x": [f"json://{receiver.address}/x"]}))
    daily = Daily(within=timedelta(hours=4))
    made = assets(policy=daily.policy)
    run(*made, on=instance)
    with dg.build_sensor_context(instance) as context:
        for hours in (1, 23, 25, 26):
            late = watch(made, instance, now=daily.deadline + timedelta(hours=hours))
            tell(context, late, AppriseNotifier(file=str(file)))
    (posted,) = receiver.posted
    assert posted["title"] == "Headrace: t/base needs you"
    assert "is stale: last computed" in posted["message"]
    assert "blocked downstream: t/after, t/last" in posted["message"]


def test_outside_production_nobody_is_disturbed(instance: dg.DagsterInstance, receiver: Receiver) -> None:
    run(*assets(fails=True), on=instance)
    tick(instance, LogNotifier())
    assert receiver.posted == []
    assert alert_sensor("t").default_status == dg.DefaultSensorStatus.STOPPED


def test_in_production_the_watch_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_NAMESPACE", "production")
    assert alert_sensor("t").default_status == dg.DefaultSensorStatus.RUNNING


def test_what_is_nobodys_is_told_by_the_first_location_that_can_be_loaded() -> None:
    names = [location.name for location in all_locations()]
    assert _is_first(names[0], {})
    assert not _is_first(names[1], {})
    assert _is_first(names[1], {names[0]: "the file is gone"})
