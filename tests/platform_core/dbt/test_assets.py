"""What the events of dbt models tell of their versions."""

from typing import Any

import dagster as dg
import polars as pl
import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import Provenance, Version
from platform_core.dbt.assets import _told
from platform_core.store.local import LocalStore
from platform_core.store.values import Target, write_version
from tests.platform_core.drafts import TESS

MODEL = "model.headrace.orders"


def written(catalog: Catalog, store: LocalStore, run: str) -> Version:
    target = Target(TESS, "shop/orders", provenance=Provenance(run_id=run))
    (version,) = catalog.commit(TESS, [write_version(store, pl.DataFrame({"run": [run]}), target)])
    return version


def told(version: Version, instance: dg.DagsterInstance) -> dict[str, Any]:
    output = dg.Output(None, output_name="orders", metadata={"unique_id": MODEL})
    (event,) = _told(output, {MODEL: [version]}, instance)
    return {name: value.value for name, value in event.metadata.items()}


@pytest.fixture
def instance(tmp_path: object) -> dg.DagsterInstance:
    return dg.DagsterInstance.ephemeral(str(tmp_path))


def test_a_model_whose_version_was_overtaken_says_so(
    catalog: Catalog, store: LocalStore, instance: dg.DagsterInstance
) -> None:
    first, second = written(catalog, store, "run-one"), written(catalog, store, "run-two")
    assert told(first, instance)["headrace/overtaken_by"].startswith(f"Overtaken by {second.label} of run run-two")
    assert not {"headrace/overtaken", "headrace/overtaken_by"} & told(second, instance).keys()


def test_a_model_that_replaced_what_was_committed_while_it_ran_says_so(
    catalog: Catalog, store: LocalStore, instance: dg.DagsterInstance
) -> None:
    @dg.job
    def going() -> None:
        return None

    run = going.execute_in_process(instance=instance).run_id  # has started by now
    other, own = written(catalog, store, "another"), written(catalog, store, run)
    assert told(own, instance)["headrace/overtaken"].startswith(f"Replaces {other.label} of run another")


def test_a_model_that_committed_nothing_is_no_event(instance: dg.DagsterInstance) -> None:
    assert list(_told(dg.Output(None, output_name="orders", metadata={"unique_id": MODEL}), {}, instance)) == []
