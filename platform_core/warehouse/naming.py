"""Names of tables in SQL to assets, as a namespace shows them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_core.catalog.values import AsOf, Shown
from platform_core.errors import WarehouseError, did_you_mean
from platform_core.namespaces import Namespace
from platform_core.warehouse.query import BoundTable, TableName

if TYPE_CHECKING:
    from platform_core.catalog.catalog import Catalog

Partitions = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Asker:
    """Who asks: nobody in particular, or the step of an asset.

    Args:
        asset: the asset that is being computed.
        declared: the assets that it says it reads; None: whoever asks may read everything.
    """

    asset: str = ""
    declared: frozenset[str] | None = None

    @property
    def location(self) -> str:
        return self.asset.rpartition("/")[0]


class Naming:
    """What tables are called here: `location.asset`, the asset's name alone, or its whole name in quotes.

    Args:
        as_of: what the run of who asks takes notice of.
    """

    def __init__(self, catalog: "Catalog", namespace: Namespace, asker: Asker, as_of: AsOf | None = None) -> None:
        self._catalog, self._namespace, self._asker, self._as_of = catalog, namespace, asker, as_of

    def bind(self, names: Collection[TableName], partitions: Partitions) -> tuple[BoundTable, ...]:
        """Each name with what the namespace shows of its asset, or of those partitions of it that are asked for."""
        bound = tuple(self._bind(name, partitions) for name in names)
        asked = {table.asset for table in bound} | {table.name.text for table in bound}
        if strangers := sorted(set(partitions) - asked):
            raise WarehouseError(f"Partitions of {strangers[0]} are asked for, which the query does not read.")
        return bound

    def _bind(self, name: TableName, partitions: Partitions) -> BoundTable:
        asset = self._asset(name)
        self._require_declared(name, asset)
        wanted = partitions.get(asset, partitions.get(name.text))
        shown = self._shown(asset, name, wanted)
        if (version := shown[0].version).format != "parquet":
            raise WarehouseError(f"{_at(name)}{asset} is no table but an object ({version.format}); load it in Python.")
        return BoundTable(name, asset, tuple(shown))

    def _shown(self, asset: str, name: TableName, wanted: Sequence[str] | None) -> list[Shown]:
        if wanted is not None:
            return self._catalog.require(self._namespace, asset, wanted, self._as_of)
        if found := self._catalog.resolve(self._namespace, asset, as_of=self._as_of):
            return list(found.values())
        raise WarehouseError(
            f"{_at(name)}{self._namespace} shows no version of {asset}; run it first: headrace run {asset}"
        )

    def _asset(self, name: TableName) -> str:
        known = self._catalog.assets()
        full = "/".join(name.parts).casefold()
        fitting = [asset for asset in known if asset.casefold() == full]
        if not fitting and len(name.parts) == 1:
            fitting = [asset for asset in known if asset.rpartition("/")[2].casefold() == full]
            fitting = [asset for asset in fitting if asset.rpartition("/")[0] == self._asker.location] or fitting
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise WarehouseError(f"{_at(name)}'{name.text}' may be {' or '.join(map(_sql, fitting))}; write which.")
        hint = did_you_mean(name.text, [*map(_sql, known), *(asset.rpartition("/")[2] for asset in known)])
        raise WarehouseError(f"{_at(name)}there is no table '{name.text}' in {self._namespace}.{hint}")

    def _require_declared(self, name: TableName, asset: str) -> None:
        declared = self._asker.declared
        if declared is not None and asset not in declared:
            key = ", ".join(f'"{part}"' for part in asset.split("/"))
            raise WarehouseError(
                f"{_at(name)}{self._asker.asset} reads {asset} without saying so, and nothing would be computed again"
                f" when that changes; add deps=[dg.AssetKey([{key}])] to it."
            )


def _sql(asset: str) -> str:
    parts = asset.split("/")
    return ".".join(parts) if len(parts) <= 2 else f'"{asset}"'  # noqa: PLR2004


def _at(name: TableName) -> str:
    return f"line {name.line} of the query: " if name.line else ""
