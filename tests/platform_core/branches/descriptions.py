"""Descriptions of assets as locations give them."""

from typing import Any


def described(reads: tuple[str, ...] = (), **given: Any) -> dict[str, Any]:
    usual = {
        "code": "c1",
        "environment": "e1",
        "columns": [],
        "keys": [],
        "partitions": "",
        "blocking": [],
        "metadata": {},
        "layer": "feature",
    }
    return usual | {"owners": ["team:flights"], "reads": sorted(reads)} | given
