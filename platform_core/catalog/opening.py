"""Opens the catalog. What speaks SQL is loaded at the first question, so that definitions load without it."""

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from platform_core.catalog.catalog import Catalog


@lru_cache(maxsize=8)
def open_catalog(url: str) -> "Catalog":
    """The catalog behind a database URL; one per process and URL."""
    from platform_core.catalog.catalog import Catalog
    from platform_core.catalog.engine import open_engine

    return Catalog(open_engine(url))
