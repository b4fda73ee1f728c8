"""The function behind a definition."""

from typing import Any

import dagster as dg


def function_of(asset: dg.AssetsDefinition) -> Any:
    """The function of an asset or check, as it was decorated; None of one that is no function, such as a graph."""
    return getattr(getattr(asset.node_def, "compute_fn", None), "decorated_fn", None)
