"""Old runs go, but for those that made what a namespace shows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from platform_core import Namespace, fact
from platform_core.catalog.catalog import Catalog
from platform_core.history.old_runs import forget_runs, old_runs
from tests.platform_core.runs import run

ME = Namespace("user", "tess")
TOMORROW = datetime.now(UTC) + timedelta(days=1)


@fact(partitions_def=dg.StaticPartitionsDefinition(["a", "b"]))
def months() -> int:
    return 1


@fact
def days() -> int:
    return 1


@fact
def broken() -> int:
    raise ValueError


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def in_files(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as made:
        yield made


def ids(instance: dg.DagsterInstance) -> list[str]:
    return [item.run_id for item in instance.get_runs()][::-1]


def test_what_is_shown_keeps_its_run(in_files: dg.DagsterInstance, catalog: Catalog, tmp_path: Path) -> None:
    instance = in_files
    run(months, on=instance, of="a")
    first, second = [run(days, on=instance).run_id for _ in range(2)]
    run(months, on=instance, of="b")
    failed = run(broken, on=instance).run_id
    assert list(old_runs(instance, catalog, ME, TOMORROW)) == [first, failed]
    assert [path.name for path in (tmp_path / "storage").glob(f"{first}*")]
    forget_runs(instance, [first, failed])
    assert not [path.name for path in (tmp_path / "storage").glob(f"{first}*")]
    assert (len(ids(instance)), second in ids(instance)) == (3, True)
    assert not instance.all_logs(first)
    assert instance.get_latest_materialization_event(days.key)


def test_what_another_namespace_shows_is_no_reason(instance: dg.DagsterInstance, catalog: Catalog) -> None:
    made = run(days, on=instance).run_id
    assert list(old_runs(instance, catalog, Namespace.parse("production"), TOMORROW)) == [made]


def test_neither_young_nor_running_ones_go(instance: dg.DagsterInstance, catalog: Catalog) -> None:
    run(broken, on=instance)
    going = instance.create_run_for_job(dg.Definitions([days]).resolve_implicit_global_asset_job_def())
    instance.report_run_canceling(going)
    assert list(old_runs(instance, catalog, ME, datetime.now(UTC) - timedelta(days=1))) == []
    assert going.run_id not in old_runs(instance, catalog, ME, TOMORROW)


def test_many_are_looked_through_in_pages(
    instance: dg.DagsterInstance, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform_core.history.old_runs.PAGE", 2)
    made = [run(broken, on=instance).run_id for _ in range(5)]
    assert list(old_runs(instance, catalog, ME, TOMORROW)) == made
