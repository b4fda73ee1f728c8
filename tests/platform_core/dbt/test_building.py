"""Real builds of a small dbt project: what fails its tests is kept, marked and never current."""

import shutil
import subprocess
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from platform_core import fact, feature
from platform_core.auditing.publication import audited
from platform_core.auditing.stored import results_of_version
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import Version
from platform_core.dbt.project import dbt_environment, dbt_executable, parsed_project
from platform_core.errors import CheckError, DefinitionError
from platform_core.io_manager import HeadraceIOManager
from platform_core.settings import current_settings
from tests.platform_core.drafts import TESS
from tests.platform_core.runs import QUIET, instance, run, sentence

REPOSITORY = Path(__file__).parents[3]


def raw(*, id: int | None = 1, customer: str = "tess") -> dg.AssetsDefinition:
    @fact(key_prefix="shop")
    def raw() -> pl.DataFrame:
        rows = {"id": [0, id], "customer": ["tess", customer], "day": ["mon", "mon"]}
        return pl.DataFrame(rows, schema={"id": pl.Int64, "customer": pl.String, "day": pl.String})

    return raw


@feature(key_prefix="shop")
def busy(days: pl.DataFrame) -> pl.DataFrame:
    return days


def shown(catalog: Catalog) -> set[str]:
    return {item.version.asset for item in catalog.current(TESS)}


def reason(catalog: Catalog, asset: str) -> str:
    (kept,) = catalog.unpublished(TESS, asset)
    return str(kept.rejected)


def test_what_passes_its_tests_is_published_and_read_on(sql: dg.AssetsDefinition, catalog: Catalog) -> None:
    result = run(raw(), sql, busy)
    assert result.success
    assert shown(catalog) == {"shop/raw", "shop/orders", "shop/days", "shop/customers", "shop/busy"}
    told = {item.check_name: (item.passed, item.severity.value) for item in result.get_asset_check_evaluations()}
    assert told["unique_orders_day"] == (False, "WARN")


def test_a_model_that_fails_its_test_is_kept_rejected_and_nothing_follows(
    sql: dg.AssetsDefinition, catalog: Catalog
) -> None:
    assert run(raw(), sql).success
    before = {item.version.asset: item.version.id for item in catalog.current(TESS)}

    result = run(raw(id=None), sql, busy)
    assert "not_null_orders_id (models/shop/schema.yml): Got 1 result" in sentence(result)
    told = {event.asset_key.path[-1] for event in result.get_asset_materialization_events() if event.asset_key}
    assert told == {"raw", "customers"}
    after = {item.version.asset: item.version.id for item in catalog.current(TESS)}
    assert {asset for asset in before if before[asset] == after[asset]} == {"shop/orders", "shop/days"}
    assert reason(catalog, "shop/orders").startswith(
        "shop/orders was not published: its test not_null_orders_id failed"
    )
    assert catalog.unpublished(TESS, "shop/days") == []  # dbt did not compute it


def test_leaving_out_a_test_does_not_publish_its_model(sql: dg.AssetsDefinition, catalog: Catalog) -> None:
    run(raw(id=None))
    definitions = dg.Definitions(assets=[sql], resources={"io_manager": HeadraceIOManager()})
    orders = dg.AssetKey(["shop", "orders"])
    job = definitions.resolve_implicit_global_asset_job_def().get_subset(
        asset_selection={orders, dg.AssetKey(["shop", "customers"])}, asset_check_selection=set()
    )
    result = job.execute_in_process(run_config=QUIET, instance=instance(), raise_on_error=False)
    assert "not_null_orders_id" in sentence(result)
    assert shown(catalog) == {"shop/raw", "shop/customers"}
    assert "not_null_orders_id" in reason(catalog, "shop/orders")


def test_a_test_of_two_models_holds_back_both_and_what_was_computed_from_them(
    sql: dg.AssetsDefinition, catalog: Catalog
) -> None:
    result = run(raw(customer="stranger"), sql)
    assert "relationships_orders_customer" in sentence(result)
    assert shown(catalog) == {"shop/raw"}
    assert "its test relationships_orders_customer" in reason(catalog, "shop/orders")
    assert "its test relationships_orders_customer" in reason(catalog, "shop/customers")
    for kept in catalog.unpublished(TESS, "shop/days"):  # dbt may or may not have computed it by then
        assert kept.rejected == "shop/days was not published: it was computed from shop/orders, which was not"


def test_tests_are_asked_about_stored_versions(sql: dg.AssetsDefinition, catalog: Catalog) -> None:
    """The rejected one too, while the namespace shows the other."""
    run(raw(), sql)
    good = catalog.resolve(TESS, "shop/orders")[""].version
    run(raw(id=None), sql)
    (bad,) = catalog.unpublished(TESS, "shop/orders")

    def told(version: Version) -> dict[str | None, tuple[bool, str]]:
        return {item.check_name: (item.passed, item.severity.value) for item in results_of_version(sql, [], version)}

    usual = {
        "unique_orders_day": (False, "WARN"),
        "relationships_orders_customer__customer__ref_customers_": (True, "ERROR"),
    }
    assert told(good) == usual | {"not_null_orders_id": (True, "ERROR")}
    assert told(bad) == usual | {"not_null_orders_id": (False, "ERROR")}
    assert catalog.resolve(TESS, "shop/orders")[""].version == good


def test_a_version_whose_files_are_gone_is_one_sentence(sql: dg.AssetsDefinition, catalog: Catalog) -> None:
    run(raw(), sql)
    version = catalog.resolve(TESS, "shop/orders")[""].version
    for file in version.files:
        (Path(current_settings().store) / file.key).unlink()
    with pytest.raises(CheckError, match=r"dbt cannot test shop/orders: .*is missing"):
        results_of_version(sql, [], version)


def test_a_blocking_check_in_python_is_refused_with_what_to_write(sql: dg.AssetsDefinition) -> None:
    @dg.asset_check(asset=["shop", "orders"], blocking=True)
    def fine(orders: pl.DataFrame) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    with pytest.raises(
        DefinitionError, match="it is a dbt model, whose tests of severity error are its blocking checks"
    ):
        audited([sql], [fine], {})


def by_hand(verb: str) -> subprocess.CompletedProcess[str]:
    project = current_settings().repository / "dbt_project"
    command = [dbt_executable(), verb, "--project-dir", str(project), "--profiles-dir", str(project)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=dbt_environment())


def test_dbt_by_hand_publishes_what_was_tested_and_nothing_else(sql: dg.AssetsDefinition, catalog: Catalog) -> None:
    run(raw())
    target = current_settings().repository / "dbt_project" / "target"
    target.mkdir(exist_ok=True)
    shutil.copy(parsed_project() / "partial_parse.msgpack", target)  # else it would parse for seconds
    done = by_hand("run")
    assert done.returncode != 0
    assert "shop/orders was not published: its test not_null_orders_id was not run" in done.stdout
    assert shown(catalog) == {"shop/raw"}
    assert by_hand("build").returncode == 0
    assert shown(catalog) == {"shop/raw", "shop/orders", "shop/days", "shop/customers"}
