"""What a scrape tells after runs with failures, retries and checks, and what it asks for that."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import COST, SECONDS, StoredFile
from platform_core.compute.attempts import Ending
from platform_core.compute.executor import routing_executor
from platform_core.compute.placement import ComputeTable
from platform_core.compute.spec import COMPUTE_TAG, Compute
from platform_core.metrics.exposition import Metrics
from platform_core.namespaces import PRODUCTION, Namespace
from tests.platform_core.compute.doubles import ORIGIN, Job, ScriptedBackend
from tests.platform_core.drafts import TESS, draft

AWAY = {COMPUTE_TAG: Compute(backend="batch", cpu=2).to_text()}
TRIES: list[int] = []


@dg.asset(op_tags=AWAY, key_prefix="flights", retry_policy=dg.RetryPolicy(max_retries=1))
def shaky() -> None:
    TRIES.append(1)
    if len(TRIES) == 1:
        raise RuntimeError("the first time")


@dg.asset(op_tags=AWAY, key_prefix="flights", deps=[shaky])
def lost() -> None: ...


@dg.asset_check(asset=lost, blocking=False)
def is_fine() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN)


@dg.asset(op_tags=AWAY, key_prefix="flights")
def broken() -> None:
    raise RuntimeError("always")


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """The samples of a scrape, by name and the values of the labels in the order of their names."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
        if not sample.name.endswith(("_bucket", "_created"))
    }


def job_of(*assets: Any) -> Job:
    backend = ScriptedBackend({"flights__lost": [Ending("vanished", "Its machine is gone.")]})
    executor = routing_executor(ComputeTable(backends={"batch": lambda: backend}))
    backend.job = Job(*assets, executor=executor)
    return backend.job


def test_runs_steps_retries_and_costs_are_counted_once(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_PRICES", '{"batch": {"cpu": 3600}}')
    TRIES.clear()
    monkeypatch.setattr("platform_core.metrics.run_events.HOUR", 1e-9)  # so that moments cost something
    job = job_of(shaky, lost, broken)
    metrics = Metrics(job.instance, catalog, TESS)
    job.run()
    first, second = samples(metrics), samples(metrics)
    for found in (first, second):
        assert found["headrace_runs", "failure"] == 1
        assert found["headrace_runs_ended_total", "t", "failure"] == 1
        assert found["headrace_run_wait_seconds_count", "t"] == found["headrace_run_seconds_count", "t"] == 1
        assert found["headrace_steps_ended_total", "t", "success"] == 2
        assert found["headrace_steps_ended_total", "t", "failure"] == 1
        assert found["headrace_step_retries_total", "code", "t"] == 1
        assert found["headrace_step_retries_total", "infrastructure", "t"] == 1
        assert found["headrace_step_start_seconds_count", "batch"] >= 3
        assert found["headrace_step_seconds_count", "t"] == 3
        assert found["headrace_failed_attempts_cost_total", "t"] > 0
        assert found["headrace_materializations_total", "flights/lost"] == 1
        assert found["headrace_queue_length",] == 0
        assert found["headrace_up", "runs"] == found["headrace_up", "dagster"] == found["headrace_up", "catalog"] == 1
    # To a server that begins now, what ended before is no news.
    later = Metrics(job.instance, catalog, TESS)
    assert ("headrace_steps_ended_total", "t", "success") not in samples(later)


def test_a_check_is_counted_by_its_result(catalog: Catalog) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        metrics = Metrics(instance, catalog, TESS)
        job = dg.Definitions(assets=[shaky, lost], asset_checks=[is_fine]).resolve_implicit_global_asset_job_def()
        TRIES.append(1)
        assert job.execute_in_process(instance=instance, raise_on_error=False).success
        found = samples(metrics)
    assert found["headrace_checks_total", "flights/lost", "is_fine", "failed", "warn"] == 1


def test_how_a_queue_stands(catalog: Catalog) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        metrics = Metrics(instance, catalog, TESS)
        for _ in range(2):
            queued: dict[str, Any] = {
                "status": dg.DagsterRunStatus.QUEUED,
                "remote_job_origin": ORIGIN.seen_by_webserver("j"),
            }
            instance.add_run(dg.DagsterRun(job_name="j", run_id=str(uuid4()), **queued))
        found = samples(metrics)
    assert found["headrace_queue_length",] == found["headrace_runs", "queued"] == 2
    assert 0 <= found["headrace_queue_oldest_seconds",] < 3600


def test_assets_are_told_by_team_and_only_what_is_new_is_read(
    catalog: Catalog,
) -> None:
    files = (StoredFile("k", 1000, "xxh3:0"),)
    took: dict[str, Any] = {"files": files, "metadata": {SECONDS: 60.0, COST: 2.0}}
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    for partition in ("1", "2"):
        given = {**took, "created_at": hour_ago, "namespace": PRODUCTION}
        catalog.commit(PRODUCTION, [draft("flights/a", partition, **given)])
    with dg.DagsterInstance.ephemeral() as instance:
        metrics = Metrics(instance, catalog, PRODUCTION)
        metrics.warm()
        before = samples(metrics)
        assert before["headrace_asset_age_seconds", "flights/a", "team:flight-operations"] == pytest.approx(
            3600, abs=60
        )
        of = ("flights/a", "production", "team:flight-operations")
        assert before["headrace_cost_total", *of] == 4
        assert before["headrace_compute_seconds_total", *of] == 120
        assert before["headrace_store_bytes", *of] == 2000

        asked: list[Any] = []
        event.listen(catalog._engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
        samples(metrics)
        assert not [text for text in asked if "FROM versions" in text or "FROM refs" in text], asked
        branch = Namespace("branch", "new-engine")
        catalog.commit(branch, [draft("flights/a", namespace=branch, **took)])
        after = samples(metrics)
    assert after["headrace_cost_total", "flights/a", "branch", "team:flight-operations"] == 2
    assert after["headrace_cost_total", *of] == 4


def test_files_that_were_given_up_count_no_more(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform_core.metrics.assets.LOOK_FOR_GARBAGE", -1.0)
    versions = [draft("flights/a", files=(StoredFile("k", 1000, "xxh3:0"),)) for _ in range(2)]
    replaced, _ = [catalog.commit(TESS, [version])[0] for version in versions]
    with dg.DagsterInstance.ephemeral() as instance:
        metrics = Metrics(instance, catalog, TESS)
        assert samples(metrics)["headrace_store_bytes", "flights/a", "user", "team:flight-operations"] == 2000
        assert catalog.forget([replaced.id])
        for _ in range(2):
            assert samples(metrics)["headrace_store_bytes", "flights/a", "user", "team:flight-operations"] == 1000


def test_a_catalog_that_is_away_is_a_metric(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> int:
        raise OperationalError("SELECT", {}, Exception("no server"))

    monkeypatch.setattr(catalog, "newest_transaction", away)
    with dg.DagsterInstance.ephemeral() as instance:
        found = samples(Metrics(instance, catalog, TESS))
    assert (found["headrace_up", "catalog"], found["headrace_up", "dagster"]) == (0, 1)
    assert ("headrace_queue_length",) in found
