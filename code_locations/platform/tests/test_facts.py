"""The janitor works in production; elsewhere it says what it would do."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import polars as pl
import pytest

from code_locations.platform import facts
from code_locations.platform.definitions import defs
from code_locations.platform.facts import swept
from platform_core import Namespace, client
from platform_core.catalog.branch_values import Branch
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.opening import open_catalog
from platform_core.io_manager import HeadraceIOManager


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """A catalog with one branch whose time is over."""
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path))
    catalog = open_catalog(f"sqlite:///{tmp_path}/catalog.db")
    over = datetime.now(UTC) - timedelta(days=1)
    catalog.open_branch(Branch("branch/over", "over", "c0ffee", str(tmp_path), over))
    return catalog


@pytest.mark.parametrize(("namespace", "left"), [("production", 0), ("user/ann", 1)])
def test_a_branch_that_is_over_is_closed_in_production_alone(
    catalog: Catalog, namespace: str, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_NAMESPACE", namespace)
    done = dg.materialize([swept], resources={"io_manager": HeadraceIOManager()})
    assert done.success
    assert len(catalog.branches()) == left
    shown = catalog.resolve(Namespace.parse(namespace), "platform/swept")[""].version
    assert (shown.metadata["closed"], shown.metadata["dry_run"]) == (1, bool(left))
    assert client.load("platform/swept").rows() == [("closed", "branch/over")]


@pytest.mark.parametrize(("namespace", "left"), [("production", 0), ("user/ann", 1)])
def test_old_runs_go_when_there_is_a_number_of_days(
    catalog: Catalog, namespace: str, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_NAMESPACE", namespace)
    in_two_days = datetime.now(UTC) + timedelta(days=2)
    monkeypatch.setattr(facts, "datetime", SimpleNamespace(now=lambda _: in_two_days))
    with dg.DagsterInstance.ephemeral() as instance:
        for days in ("", "3", "1"):
            monkeypatch.setenv("HEADRACE_KEEP_RUNS", days)
            dg.materialize([swept], resources={"io_manager": HeadraceIOManager()}, instance=instance)
        assert len(instance.get_runs()) == left + 2  # the newest one, and the one whose version was shown until then
        told = client.load("platform/swept").filter(pl.col("kind") == "run")
        assert told.height == 1


def test_it_is_on_in_production_alone() -> None:
    schedule = defs.resolve_schedule_def("janitor_schedule")
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
