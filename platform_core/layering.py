"""The layers, and what each may be computed from. A prediction is an end: nothing that is trained may hang on it."""

from collections.abc import Mapping
from typing import Literal, get_args

Layer = Literal["fact", "feature", "model", "prediction"]
LAYERS: tuple[Layer, ...] = get_args(Layer)
LAYER_TAG = "headrace/layer"

MAY_READ: Mapping[Layer, tuple[Layer, ...]] = {
    "fact": ("fact",),
    "feature": ("fact", "feature"),
    "model": ("fact", "feature", "model"),
    "prediction": ("fact", "feature", "model", "prediction"),
}


def refused_reading(asset: str, layer: Layer | None, upstream: str, upstream_layer: Layer | None) -> str | None:
    """Why an asset may not read another one, as a sentence; None where it may, or where a layer is not known."""
    if layer is None or upstream_layer is None or upstream_layer in MAY_READ[layer]:
        return None
    return (
        f"{asset} is a {layer} and reads {upstream}, which is a {upstream_layer};"
        f" a {layer} may read only: {', '.join(MAY_READ[layer])}."
    )
