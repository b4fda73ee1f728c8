"""The location as a whole: how pages become topics, who owns them and what guards them."""

import json
from pathlib import Path

import dagster as dg

from code_locations.manuals import models
from code_locations.manuals.definitions import defs
from code_locations.manuals.reading import LIBRARIES
from platform_core.layers import LAYER_TAG

SPECS = {spec.key.path[-1]: spec for spec in defs.resolve_all_asset_specs()}


def test_every_asset_has_a_layer_an_owner_and_a_description() -> None:
    for spec in SPECS.values():
        assert spec.tags[LAYER_TAG] in ("fact", "feature", "model", "prediction"), spec.key
        assert spec.owners == ["team:documentation"], spec.key
        assert spec.description, spec.key


def test_pages_become_words_places_and_topics() -> None:
    reads = {name: {dep.asset_key.path[-1] for dep in spec.deps} for name, spec in SPECS.items()}
    assert reads == {
        "pages": set(),
        "page_terms": {"pages"},
        "page_vectors": {"pages", "page_terms"},
        "page_map": {"page_vectors"},
        "topics": {"page_vectors", "page_terms", "page_map"},
        "page_topics": {"topics", "page_vectors"},
        "topic_words": {"page_topics", "page_terms"},
        "topic_report": {"page_topics", "topic_words"},
    }


def test_each_library_is_a_partition_and_comes_by_itself() -> None:
    pages = SPECS["pages"]
    assert pages.partitions_def == dg.StaticPartitionsDefinition(list(LIBRARIES))
    assert pages.automation_condition is not None


def test_who_works_at_the_report_by_hand_sees_what_a_run_would_show() -> None:
    cells = json.loads((Path(models.__file__).parent / "topic_report.ipynb").read_text())["cells"]
    [source] = [cell["source"] for cell in cells if "parameters" in cell["metadata"].get("tags", ())]
    said: dict[str, object] = {}
    exec(source, said)
    assert {name: said[name] for name in models.Report.model_fields} == models.Report().model_dump()


def test_topics_are_held_back_unless_they_are_topics() -> None:
    checks = {check.name: check for definition in defs.asset_checks or () for check in definition.check_specs}
    found = {check.name: check.blocking for asset in defs.assets or () for check in getattr(asset, "check_specs", ())
             if check.asset_key.path[-1] == "topics"}  # fmt: skip
    assert {name for name, blocks in found.items() if blocks} == {"gate", "no_tiny_topic", "clearer_than_chance"}
    assert not checks["stable_over_seeds"].blocking
