"""Writes values the way a step does: files first, then one commit."""

from typing import Any

import polars as pl

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import Version
from platform_core.namespaces import Namespace
from platform_core.store.local import LocalStore
from platform_core.store.values import Target, write_version

TESS = Namespace("user", "tess")


class Writer:
    """Writes versions of assets into the namespace of Tess, or another."""

    def __init__(self, catalog: Catalog, store: LocalStore) -> None:
        self.catalog, self.store = catalog, store

    def __call__(
        self, value: Any, asset: str = "shop/orders", partition: str = "", namespace: Namespace = TESS, **metadata: Any
    ) -> Version:
        draft = write_version(self.store, value, Target(namespace, asset, partition, metadata))
        (version,) = self.catalog.commit(namespace, [draft])
        return version


def orders(**columns: list[Any]) -> pl.DataFrame:
    return pl.DataFrame({"id": [1, 2, 3], "price": [10.0, 20.0, 30.0], "city": ["Oslo", "Rome", None]} | columns)
