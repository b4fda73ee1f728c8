"""The dashboard asks for nothing that is not told."""

import json
import re

import dagster as dg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from platform_core.catalog.catalog import Catalog
from platform_core.metrics.exposition import Metrics
from tests.platform_core.drafts import TESS
from tests.repository.tree import ROOT

PANELS = json.loads((ROOT / "deploy" / "grafana" / "headrace.json").read_text())["panels"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]
_SUFFIXES = ("_total", "_bucket", "_count", "_sum")


@pytest.fixture
def told(catalog: Catalog) -> set[str]:
    """The names of all metrics, as a server tells them at which nothing has happened yet."""
    with dg.DagsterInstance.ephemeral() as instance:
        text = Metrics(instance, catalog, TESS).text().decode()
    return {family.name for family in text_string_to_metric_families(text)}


def asked(query: str) -> set[str]:
    names = set(re.findall(r"headrace_\w+", query))
    return {next((name.removesuffix(end) for end in _SUFFIXES if name.endswith(end)), name) for name in names}


def test_every_query_names_metrics_that_there_are(told: set[str]) -> None:
    assert [query for query in QUERIES if not asked(query) or not asked(query) <= told] == []


def test_every_metric_is_shown(told: set[str]) -> None:
    assert told - {name for query in QUERIES for name in asked(query)} == set()


def test_panels_have_titles_places_and_sources_of_their_own() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in PANELS]
    assert len(set(places)) == len({panel["title"] for panel in PANELS}) == len(PANELS)
    assert {panel["datasource"]["uid"] for panel in PANELS} == {"${source}"}
