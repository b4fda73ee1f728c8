"""Production with an Iceberg catalog beside it."""

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import Version
from platform_core.namespaces import PRODUCTION
from platform_core.settings import Settings, current_settings
from platform_core.store.local import LocalStore
from platform_core.store.values import Target, write_version

Write = Callable[..., Version]


@pytest.fixture
def open_tables(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    pytest.importorskip("pyiceberg", reason="pyiceberg is not installed")
    monkeypatch.setenv("HEADRACE_OPEN_TABLES", f"sqlite:///{settings.home}/tables.db")
    monkeypatch.setenv("HEADRACE_NAMESPACE", "production")
    return current_settings()


@pytest.fixture
def write(open_tables: Settings, catalog: Catalog, store: LocalStore) -> Write:
    """Makes a value production's."""

    def writing(value: Any, partition: str = "", asset: str = "shop/orders") -> Version:
        draft = write_version(store, value, Target(PRODUCTION, asset, partition))
        (version,) = catalog.commit(PRODUCTION, [draft])
        return version

    return writing


def month(key: str, *prices: float, **more: Any) -> pl.DataFrame:
    return pl.DataFrame({"month": [key] * len(prices), "price": prices, **more})
