"""What a person sees and clicks in the UI: the lineage, an asset, a model, and that nothing runs by itself."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from platform_core.environments.environment import environment_of
from tests.browser.conftest import TakePicture
from tests.browser.pages import AssetPage, AutomationPage, LineagePage
from tests.end_to_end.conftest import Headrace

pytestmark = pytest.mark.browser

LONGEST_PATH = (
    *("scheduled_flights", "flights_clean", "route_days"),
    *("departure_features", "delay_model", "delay_predictions"),
)
OF_AIRPORTS = ("departures", "delays_by_route", "airport_days", "departures_model")  # longer names are cut in the graph
AUTOMATIONS = (
    *("registries_schedule", "month_schedule"),
    *("new_flights_file", "new_weather_file", "flights_automation", "flights_alerts"),
    *("airports_automation", "airports_alerts"),
    *("janitor_schedule", "platform_automation", "platform_alerts"),
    *("manuals_automation", "manuals_alerts"),
    *("legs_schedule", "rotations_automation", "rotations_alerts"),
)


@pytest.fixture(scope="module")
def predictions(headrace: Headrace, address: str, pictures: Path | None) -> None:
    """All that the predictions need is built while the UI is up: of seven months, or of the year for pictures."""
    done = headrace("run", "+delay_predictions", "--partition", "all" if pictures else "2013-01..2013-07")
    assert done.returncode == 0, done.stdout
    done = headrace("run", "departures", "--partition", "2013-01..2013-07")
    assert done.returncode == 0, done.stdout


def test_nothing_runs_by_itself_in_a_namespace_of_ones_own(page: Page):
    automation = AutomationPage(page)
    automation.open()
    for name in AUTOMATIONS:
        expect(page.get_by_text(name, exact=True)).to_be_visible()
    expect(automation.switches).to_have_count(len(AUTOMATIONS))
    for switch in automation.switches.all():
        expect(switch).not_to_be_checked()


def test_the_lineage_leads_from_facts_to_predictions(page: Page):
    lineage = LineagePage(page)
    lineage.open('code_location:"flights"')
    for asset in (*LONGEST_PATH, "weather", "planes"):
        expect(lineage.node(asset)).to_be_visible()
    for upstream, downstream in pairwise(LONGEST_PATH):
        assert lineage.left_edge(upstream) < lineage.left_edge(downstream)


def test_both_locations_are_seen_in_one_graph_though_no_environment_could_hold_both(page: Page):
    page.set_viewport_size({"width": 1600, "height": 2400})  # what lies outside is not drawn
    lineage = LineagePage(page)
    lineage.open('code_location:"flights" or code_location:"airports"')
    for asset in (*LONGEST_PATH, *OF_AIRPORTS):
        expect(lineage.node(asset)).to_be_visible()


def test_a_click_materializes_an_asset(page: Page, headrace: Headrace):
    asset = AssetPage(page)
    asset.open("airports")
    run = asset.materialize()
    versions = json.loads(headrace("versions", "airports", "--json").stdout)
    assert [(version["asset"], version["namespace"], version["current"]) for version in versions] == [
        ("flights/airports", "user/browser", True)
    ]
    assert versions[0]["provenance"]["run_id"] == run
    asset.open("airports")
    for seen in ("Airports of the United States by FAA code.", "flight-operations", "1,458", "Usual name."):
        expect(page.get_by_text(seen, exact=True)).to_be_visible()


def test_the_page_of_a_model_shows_how_good_it_is(page: Page, predictions: None, take_picture: TakePicture):
    page.set_viewport_size({"width": 1600, "height": 1300})
    asset = AssetPage(page)
    asset.open("delay_model")
    for metric in ("roc_auc", "average_precision", "brier", "base_rate"):
        expect(asset.metadata(metric)).to_contain_text("0.")
    expect(asset.metadata("importances")).to_contain_text("scheduled_hour")
    curves = asset.metadata("curves").get_by_role("img", name="ROC curve and calibration")
    expect(curves).to_be_visible()
    assert curves.evaluate("image => image.naturalWidth") > 0
    take_picture(page, "model")


def test_the_lineage_shows_what_is_built(page: Page, predictions: None, take_picture: TakePicture):
    lineage = LineagePage(page)
    page.set_viewport_size({"width": 1700, "height": 1040})  # on less, nodes show nothing but their names
    lineage.open('+key:"flights/delay_predictions"')
    lineage.give_the_graph_all_room()
    expect(lineage.graph.get_by_text("% filled")).to_have_count(7)
    expect(lineage.symbols("automation")).to_have_count(5)
    expect(lineage.symbols("sensor")).to_have_count(7)
    take_picture(page, "lineage")


def test_clicks_run_three_environments_that_exclude_each_other(page: Page, headrace: Headrace, predictions: None):
    used = {clicked(page, headrace, *name) for name in (("flights", "planes"), ("airports", "airport_days"))}
    for other in ("delays_by_route", "delays_by_carrier", "delays_by_hour"):
        assert not headrace.versions(other, "airports")  # of five SQL models one was asked for
    used.add(clicked(page, headrace, "airports", "departures_model"))
    asked = (environment_of("flights"), environment_of("airports"), environment_of("airports", ("forecast",)))
    assert used == {environment.hash for environment in asked}


def clicked(page: Page, headrace: Headrace, location: str, asset: str) -> str:
    """Materialises an asset by a click; the hash of the environment that it was computed in."""
    shown = AssetPage(page, location)
    shown.open(asset)
    run = shown.materialize()
    newest, *_ = json.loads(headrace("versions", f"{location}/{asset}", "--json").stdout)
    assert newest["provenance"]["run_id"] == run
    return str(newest["provenance"]["environment"])
