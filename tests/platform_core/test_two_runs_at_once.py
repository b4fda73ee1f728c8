"""Two runs that compute the same at the same time end as two versions, of which the last to commit is current."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from threading import Barrier, Event, Thread, current_thread
from typing import Any

import dagster as dg
import polars as pl
import pytest

from platform_core import fact
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import Version
from tests.platform_core.drafts import TESS
from tests.platform_core.runs import metadata, run

Told = dict[str, dict[str, Any]]  # by the name of a thread what the event of its run tells


@pytest.mark.parametrize("late", [True, False], ids=["before its event is written", "after its event is written"])
def test_of_two_threads_the_first_to_commit_is_told_as_overtaken(late: bool, catalog: Catalog, tmp_path: Path) -> None:
    """Both begin, one commits, then the other does. The event of the first tells it, unless it is written by then."""
    # In a process of their own, which shares nothing with what earlier tests have left behind.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
        told: Told = fresh.submit(run_in_threads, late, str(tmp_path)).result(timeout=240)
    first, second = (catalog.version(told[name]["headrace/version"]) for name in ("first", "second"))
    assert (second.replaces, second.transaction) == (first.id, first.transaction + 1)
    assert catalog.resolve(TESS, "t/shared")[""].version == second
    assert told["second"]["headrace/overtaken"].startswith(f"Replaces {first.label} of run ")
    assert "headrace/overtaken_by" not in told["second"]
    assert told["first"].get("headrace/overtaken_by") == (
        f"Overtaken by {second.label} of run {second.provenance.run_id[:8]}, committed right after this one"
        f" (transaction {second.transaction}). Both are kept; this one is no longer current."
        if late
        else None
    )


def run_in_threads(late: bool, folder: str) -> Told:
    """Runs one asset in two threads that commit one after the other."""
    begun, commit = Barrier(2, timeout=60), Catalog.commit
    turns = {"second": Event(), "first's event": Event()}

    @fact(key_prefix="t")
    def shared() -> pl.DataFrame:
        begun.wait()
        return pl.DataFrame({"a": [current_thread().name]})

    def in_order(self: Catalog, *given: Any) -> list[Version]:
        if current_thread().name == "second":
            assert turns["second"].wait(60)
        done = commit(self, *given)
        if current_thread().name == "first" and late:
            turns["second"].set()
            assert turns["first's event"].wait(60)
        return done

    Catalog.commit = in_order  # type: ignore[method-assign, assignment]
    with dg.DagsterInstance.local_temp(folder) as both:
        return _told({"first": turns["second"], "second": turns["first's event"]}, shared, both)


def _told(done: dict[str, Event], asset: dg.AssetsDefinition, instance: dg.DagsterInstance) -> Told:
    """Runs it in a thread for each name, which says when its run has ended."""
    told: Told = {}

    def work() -> None:
        name = current_thread().name
        told[name] = metadata(run(asset, on=instance), asset)
        done[name].set()

    threads = [Thread(target=work, name=name) for name in done]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return told
