"""Which model an asset serves: the nearest one that is trained on it, or that made it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from platform_core.auditing.specs import specs_of
from platform_core.auditing.subjects import MODELS
from platform_core.layering import LAYER_TAG

Reads = Mapping[str, Iterable[str]]


def linked_to_models(assets: Sequence[Any]) -> list[Any]:
    """Assets with the names of their models in their metadata, where checks find them."""
    specs = specs_of(assets)
    layers = {spec.key.to_user_string(): spec.tags.get(LAYER_TAG) for spec in specs}
    reads = {spec.key.to_user_string(): [dep.asset_key.to_user_string() for dep in spec.deps] for spec in specs}
    models = models_of(layers, reads)

    def link(spec: dg.AssetSpec) -> dg.AssetSpec:
        found = models.get(spec.key.to_user_string())
        return spec.merge_attributes(metadata={MODELS: ",".join(found)}) if found else spec

    return list(dg.map_asset_specs(link, assets))


def models_of(layers: Mapping[str, str | None], reads: Reads) -> dict[str, list[str]]:
    """By feature the nearest models downstream of it, by prediction the nearest upstream."""
    readers: dict[str, list[str]] = defaultdict(list)
    for name, upstream in reads.items():
        for item in upstream:
            readers[item].append(name)
    ways: Mapping[str, Reads] = {"feature": readers, "fact": readers, "prediction": reads}
    found = {
        name: _nearest_models(name, layers, ways[layer])
        for name, layer in layers.items()
        if layer is not None and layer in ways
    }
    return {name: models for name, models in found.items() if models}


def _nearest_models(start: str, layers: Mapping[str, str | None], along: Reads) -> list[str]:
    """Models that are reached without going through another one."""
    seen, models, waiting = {start}, set(), deque([start])
    while waiting:
        for name in along.get(waiting.popleft(), ()):
            if name not in seen:
                seen.add(name)
                if layers.get(name) == "model":
                    models.add(name)
                else:
                    waiting.append(name)
    return sorted(models)
