"""Which model an asset serves follows from who reads whom."""

import dagster as dg

from platform_core.auditing.links import linked_to_models, models_of
from platform_core.auditing.subjects import models_in
from tests.platform_core.runner.locations import ASSETS

LAYERS = {"fact": "fact", "near": "feature", "far": "feature", "m": "model", "second": "model", "p": "prediction"}
READS = {"near": ["fact"], "far": ["near"], "m": ["far"], "second": ["m"], "p": ["m", "near"]}


def test_a_feature_serves_the_nearest_models_and_a_prediction_comes_from_one() -> None:
    assert models_of(LAYERS, READS) == {"fact": ["m"], "near": ["m"], "far": ["m"], "p": ["m"]}


def test_a_loop_or_a_lonely_asset_has_none() -> None:
    assert models_of({"a": "feature", "b": "feature"}, {"a": ["b"], "b": ["a"]}) == {}


def test_the_definitions_tell_it() -> None:
    linked = {asset.key.to_user_string(): asset for asset in linked_to_models(ASSETS)}
    found = {name: models_in(asset.metadata_by_key[asset.key]) for name, asset in linked.items()}
    assert found["t/features"] == found["t/predicted"] == found["t/flights"] == ("t/trained",)
    assert found["t/trained"] == ()
    assert all(isinstance(asset, dg.AssetsDefinition) for asset in linked.values())
