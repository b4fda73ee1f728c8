"""All metrics of a deployment, as Prometheus reads them."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator

import dagster as dg
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from platform_core.catalog.catalog import Catalog
from platform_core.metrics.assets import Assets
from platform_core.metrics.counters import Counters
from platform_core.metrics.runs import Runs
from platform_core.metrics.state import daemons, queue, runs_by_status
from platform_core.namespaces import Namespace

CONTENT_TYPE = CONTENT_TYPE_LATEST
AWAY = (SQLAlchemyError, OSError, dg.DagsterError)

log = logging.getLogger("headrace.metrics")


class Metrics(Collector):
    """What one process tells of a deployment. Counters begin at zero with it.

    Args:
        namespace: whose instance and whose assets.
    """

    def __init__(self, instance: dg.DagsterInstance, catalog: Catalog, namespace: Namespace) -> None:
        self._registry, self._lock = CollectorRegistry(), threading.Lock()
        runs, assets = Runs(instance, Counters(self._registry)), Assets(catalog, namespace)
        self._dagster: tuple[Callable[[], Iterable[Metric]], ...] = (
            lambda: runs_by_status(instance),
            lambda: queue(instance),
            lambda: daemons(instance),
        )
        self._runs, self._assets = runs, assets
        self._is_up: dict[str, bool] = {}  # by source, since the last answer
        self._registry.register(self)

    def warm(self) -> None:
        """Counts what the catalog has already, which takes some seconds of a hundred thousand versions."""
        with self._lock:
            list(self._told("catalog", self._assets.families))

    def text(self) -> bytes:
        """What a scrape is answered. One at a time, in whatever thread."""
        with self._lock:
            list(self._told("runs", self._look))
            return generate_latest(self._registry)

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked when this is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        began = time.perf_counter()
        for ask in self._dagster:
            yield from self._told("dagster", ask)
        yield from self._told("catalog", self._assets.families)
        yield self._up()
        yield GaugeMetricFamily(
            "headrace_scrape_seconds", "How long asking took this time.", value=time.perf_counter() - began
        )

    def _up(self) -> Metric:
        family = GaugeMetricFamily("headrace_up", "Whether what is asked answers.", labels=["source"])
        for source, is_up in sorted(self._is_up.items()):
            family.add_metric([source], is_up)
        self._is_up = {}
        return family

    def _look(self) -> Iterable[Metric]:
        self._runs.look()
        return []

    def _told(self, source: str, ask: Callable[[], Iterable[Metric]]) -> list[Metric]:
        """What a source tells; nothing while it is away, which is a metric by itself."""
        try:
            found = list(ask())
        except AWAY as error:
            log.warning("The metrics of %s cannot be told: %s", source, type(error).__name__)
            self._is_up[source] = False
            return []
        self._is_up.setdefault(source, True)
        return found
