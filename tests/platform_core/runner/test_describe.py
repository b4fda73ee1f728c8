"""What a location declares, as plain data."""

import json

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
    }
    assert assets["t/planes"]["partitions"] == 0
    assert (described["checks"], described["schedules"]) == (0, [])
    assert described["sensors"] == ["default_automation_condition_sensor"]


def test_it_can_be_sent_as_json() -> None:
    described = describe(located())
    assert json.loads(json.dumps(described)) == described
