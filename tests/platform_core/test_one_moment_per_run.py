"""A run reads what there was when it started, and what it wrote itself, whatever others commit while it runs."""

from collections.abc import Callable
from threading import Thread

import dagster as dg
import polars as pl
import pytest

from platform_core import fact, feature
from platform_core.catalog.catalog import Catalog
from platform_core.namespaces import PRODUCTION
from platform_core.settings import current_settings
from platform_core.store.local import LocalStore
from platform_core.store.values import Target, write_version
from resources.warehouse import DuckDBWarehouse, Warehouse
from tests.platform_core.runs import run

# What was computed by another run.
ONE, TWO, EARLY = (dg.AssetSpec(["t", name]) for name in ("one", "two", "early"))
QUERY = "select one.value from t.one as one union all select two.value from t.two as two"


def frame(value: int) -> pl.DataFrame:
    return pl.DataFrame({"value": [value]})


def compute_facts(value: int) -> None:
    """A run that computes two facts which belong together, and what is computed from the first."""

    @fact(key_prefix="t")
    def one() -> pl.DataFrame:
        return frame(value)

    @fact(key_prefix="t")
    def two() -> pl.DataFrame:
        return frame(value)

    @feature(key_prefix="t")
    def early(one: pl.DataFrame) -> pl.DataFrame:
        return one

    assert run(one, two, early).success


def features(meanwhile: Callable[[], object]) -> list[dg.AssetsDefinition]:
    """Something happens after the first fact was read, and before the second one is."""

    @feature(key_prefix="t")
    def early(one: pl.DataFrame) -> pl.DataFrame:
        other = Thread(target=meanwhile)
        other.start()
        other.join(60)
        return one * 10

    @feature(key_prefix="t")
    def late(early: pl.DataFrame, two: pl.DataFrame) -> pl.DataFrame:
        return pl.concat([early, two])

    @feature(key_prefix="t", deps=[dg.AssetKey(["t", name]) for name in ("late", "one", "two")])
    def asked(warehouse: Warehouse) -> pl.DataFrame:
        return pl.DataFrame(warehouse.query(QUERY))

    return [early, late, asked]


def read_in_a_run(meanwhile: Callable[[], object]) -> tuple[list[int], list[int]]:
    """What it found at its end: in its inputs, and by its query."""
    result = run(ONE, TWO, *features(meanwhile), resources={"warehouse": DuckDBWarehouse()})
    assert result.success
    return result.asset_value(["t", "late"])["value"].to_list(), sorted(result.asset_value(["t", "asked"])["value"])


@pytest.mark.parametrize("namespace", ["production", "user/tess", "branch/new-engine"])
def test_a_run_reads_as_of_its_start_whatever_another_run_commits(
    namespace: str, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_NAMESPACE", namespace)
    compute_facts(1)
    assert read_in_a_run(lambda: compute_facts(2)) == ([10, 1], [1, 1])
    assert {item.version.asset for item in catalog.current(current_settings().writes_to)} >= {"t/late", "t/asked"}
    assert read_in_a_run(lambda: None) == ([20, 2], [2, 2])


def test_nor_does_it_read_what_is_promoted_or_synchronised_meanwhile(catalog: Catalog, store: LocalStore) -> None:
    def promote(value: int) -> None:
        targets = [Target(PRODUCTION, asset) for asset in ("t/one", "t/two")]
        catalog.commit(PRODUCTION, [write_version(store, frame(value), target) for target in targets])

    promote(1)
    catalog.open_namespace(current_settings().writes_to)

    def promote_and_synchronise() -> None:
        promote(2)
        catalog.sync_namespace(current_settings().writes_to)

    assert read_in_a_run(promote_and_synchronise) == ([10, 1], [1, 1])
    assert read_in_a_run(lambda: None) == ([20, 2], [2, 2])


def test_a_run_that_goes_on_from_a_failed_one_reads_what_that_wrote() -> None:
    compute_facts(1)
    first = features(lambda: compute_facts(2))[0]
    assert run(ONE, first).success

    @feature(key_prefix="t")
    def late(early: pl.DataFrame, two: pl.DataFrame) -> pl.DataFrame:
        return pl.concat([early, two])

    assert run(EARLY, TWO, late).asset_value(["t", "late"])["value"].to_list() == [10, 2]
