"""What a person sees and clicks in the UI: the lineage, an asset, a model, and that nothing runs by itself."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import TakePicture
from tests.browser.pages import AssetPage, AutomationPage, LineagePage
from tests.end_to_end.conftest import Headrace

pytestmark = pytest.mark.browser

LONGEST_PATH = (
    *("scheduled_flights", "flights_clean", "route_days"),
    *("departure_features", "delay_model", "delay_predictions"),
)
AUTOMATIONS = (
    *("registries_schedule", "month_schedule"),
    *("new_flights_file", "new_weather_file", "flights_automation"),
)


@pytest.fixture(scope="module")
def predictions(headrace: Headrace, address: str, pictures: Path | None) -> None:
    """All that the predictions need is built while the UI is up: of seven months, or of the year for pictures."""
    done = headrace("run", "+delay_predictions", "--partition", "all" if pictures else "2013-01..2013-07")
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
