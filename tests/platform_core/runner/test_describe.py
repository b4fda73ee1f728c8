"""What a location declares, as plain data."""

import json

from platform_core import Compute, model
from platform_core.runner.describe import describe
from tests.platform_core.runner.locations import located


def test_every_asset_is_described_with_layer_reads_and_partitions() -> None:
    described = describe(located())
    assets = {asset["key"]: asset for asset in described["assets"]}
    assert assets["t/features"] == {
        "key": "t/features",
        "layer": "feature",
        "owners": [],
        "reads": ["t/flights", "t/planes"],
        "partitions": 4,
        "columns": [],
    }
    assert assets["t/planes"]["partitions"] == 0
    assert (described["checks"], described["schedules"]) == (0, [])
    assert described["sensors"] == ["default_automation_condition_sensor"]


def test_it_can_be_sent_as_json() -> None:
    described = describe(located())
    assert json.loads(json.dumps(described)) == described


def test_the_environments_that_steps_ask_for_are_named() -> None:
    @model(key_prefix="t", compute=Compute(extras=("train", "gpu")))
    def trained() -> str:
        return ""

    assert describe(located(trained))["extras"] == [["train", "gpu"]]
    assert describe(located())["extras"] == []


def test_what_production_would_refuse_is_noted() -> None:
    @model(key_prefix="t", compute=Compute(image="x:latest"))
    def movable() -> str:
        return ""

    @model(key_prefix="t", compute=Compute(image="x@sha256:0123"))
    def fixed() -> str:
        return ""

    (note,) = describe(located(movable, fixed))["notes"]
    assert note.startswith("t/movable asks for the image x:latest, which may be another one tomorrow: in production,")
