"""A writer of versions."""

import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.store.local import LocalStore
from tests.platform_core.history.values import Writer


@pytest.fixture
def write(catalog: Catalog, store: LocalStore) -> Writer:
    return Writer(catalog, store)
