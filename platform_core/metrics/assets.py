"""How old assets are, what they take in the store, and what they cost: kept up with the catalog, never counted anew."""

import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from platform_core.catalog.catalog import Catalog
from platform_core.costs import team_of
from platform_core.locations import owners
from platform_core.namespaces import Namespace

LOOK_FOR_GARBAGE = 300.0  # seconds between two looks for files that were given up, which read over all versions
_OF_ASSETS = ("team", "asset", "kind")

Place = tuple[str, str]  # the kind of a namespace, and an asset


class Assets:
    """Sums by kind of namespace and asset: names of branches and people would be series without end.

    Args:
        namespace: whose assets' age is told.
    """

    def __init__(self, catalog: Catalog, namespace: Namespace) -> None:
        self._catalog, self._namespace = catalog, namespace
        self._read = 0
        self._shown: dict[str, datetime] = {}
        self._bytes, self._seconds, self._cost = (defaultdict[Place, float](float) for _ in range(3))
        self._looked_at, self._look_again = datetime.now(UTC), time.monotonic() + LOOK_FOR_GARBAGE

    def families(self) -> Iterator[Metric]:
        """The metrics, after a look at what the catalog has that is new. The first look reads all there is."""
        self._keep_up()
        teams = owners()
        yield self._ages(teams)
        for name, text, sums, kind in (
            ("store_bytes", "Bytes of versions in the store.", self._bytes, GaugeMetricFamily),
            ("compute_seconds", "Time of steps that computed versions.", self._seconds, CounterMetricFamily),
            ("cost", "What computing versions cost, by the prices of the settings.", self._cost, CounterMetricFamily),
        ):
            family = kind(f"headrace_{name}", text, labels=_OF_ASSETS)
            for (of, asset), value in sorted(sums.items()):
                family.add_metric([team_of(asset, teams), asset, of], value)
            yield family

    def _keep_up(self) -> None:
        newest = self._catalog.newest_transaction()
        if newest != self._read:
            self._shown |= self._catalog.last_shown(self._namespace, self._read)
            for item in self._catalog.usage(self._read, newest):
                place = Namespace.parse(item.namespace).kind, item.asset
                self._bytes[place] += item.bytes
                self._seconds[place] += item.seconds
                self._cost[place] += item.cost or 0.0
            self._read = newest
        if time.monotonic() > self._look_again:
            self._leave_out_garbage()

    def _leave_out_garbage(self) -> None:
        now = datetime.now(UTC)
        for (namespace, asset), size in self._catalog.given_up(self._looked_at).items():
            self._bytes[Namespace.parse(namespace).kind, asset] -= size
        self._looked_at, self._look_again = now, time.monotonic() + LOOK_FOR_GARBAGE

    def _ages(self, teams: dict[str, str]) -> Metric:
        family = GaugeMetricFamily(
            "headrace_asset_age_seconds", "Since what an asset shows was computed.", labels=["team", "asset"]
        )
        for asset, computed in sorted(self._shown.items()):
            family.add_metric([team_of(asset, teams), asset], (datetime.now(UTC) - computed).total_seconds())
        return family
