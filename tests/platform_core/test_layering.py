"""Who may read whom."""

import pytest

from platform_core.layering import LAYERS, Layer, refused_reading


@pytest.mark.parametrize("layer", LAYERS)
def test_each_layer_may_read_itself_and_what_comes_before(layer: Layer) -> None:
    allowed = [other for other in LAYERS if refused_reading("a", layer, "b", other) is None]
    assert allowed == list(LAYERS[: LAYERS.index(layer) + 1])


def test_a_refusal_says_what_is_allowed() -> None:
    assert refused_reading("a", "model", "b", "prediction") == (
        "a is a model and reads b, which is a prediction; a model may read only: fact, feature, model."
    )
    assert refused_reading("a", None, "b", "prediction") is None
