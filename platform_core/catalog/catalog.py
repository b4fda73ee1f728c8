"""The catalog: commits versions and resolves what a namespace shows."""

from platform_core.catalog.accounting import Accounting
from platform_core.catalog.starting import Starting
from platform_core.catalog.sweeping import Sweeping


class Catalog(Sweeping, Starting, Accounting):
    """Versions, refs, transactions and namespaces in SQL. Every method is one transaction."""
