"""The catalog: commits versions and resolves what a namespace shows."""

from functools import lru_cache

from platform_core.catalog.engine import open_engine
from platform_core.catalog.lifecycle import Lifecycle


@lru_cache(maxsize=8)
def open_catalog(url: str) -> "Catalog":
    """The catalog behind a database URL; one per process and URL."""
    return Catalog(open_engine(url))


class Catalog(Lifecycle):
    """Versions, refs, transactions and namespaces in SQL. Every method is one transaction."""
