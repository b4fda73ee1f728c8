"""Links lead to the UI that runs, or to where one would be."""

import json

from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.settings import Settings
from platform_core.ui.address import note_address, path_of, url_of

BRANCH = Namespace("branch", "new-engine")


def test_a_deployment_is_below_its_own_path() -> None:
    assert path_of(BRANCH, PRODUCTION) == "/branch/new-engine"
    assert path_of(Namespace("user", "ann"), PRODUCTION) == "/user/ann"
    assert path_of(PRODUCTION, PRODUCTION) == ""


def test_without_a_running_ui_the_settings_tell(settings: Settings) -> None:
    assert url_of(settings, BRANCH) == "http://127.0.0.1:3000/branch/new-engine/"
    elsewhere = Settings(home=settings.home, ui="https://headrace.example.com/")
    assert url_of(elsewhere, BRANCH) == "https://headrace.example.com/branch/new-engine/"


def test_the_ui_that_runs_is_the_one_that_is_meant(settings: Settings) -> None:
    note_address(settings, "http://127.0.0.1:4321")
    assert url_of(settings, BRANCH) == "http://127.0.0.1:4321/branch/new-engine/"
    assert url_of(settings, settings.writes_to) == "http://127.0.0.1:4321/"


def test_one_that_ended_is_not(settings: Settings) -> None:
    note_address(settings, "http://127.0.0.1:4321")
    path = settings.home / "ui.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"began": 1}))  # another process has the number now
    assert url_of(settings, BRANCH) == "http://127.0.0.1:3000/branch/new-engine/"
