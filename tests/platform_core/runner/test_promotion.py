"""What a branch's Dagster instance says of it before it is promoted."""

from collections.abc import Iterator

import dagster as dg
import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import Provenance
from platform_core.runner.promotion import left_by_a_failure
from platform_core.store.local import LocalStore
from platform_core.store.values import Target, write_version
from tests.platform_core.drafts import TESS

FIRST, SECOND = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
NUMBERS, MODEL = dg.AssetKey(["t", "numbers"]), dg.AssetKey(["t", "model"])


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as it:
        yield it


def ran(instance: dg.DagsterInstance, run_id: str, status: dg.DagsterRunStatus) -> None:
    """A run of both assets, as the command and the UI start them."""
    selection = frozenset({NUMBERS, MODEL})
    instance.add_run(dg.DagsterRun(job_name="all", run_id=run_id, status=status, asset_selection=selection))


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED])
def test_what_the_last_run_did_not_compute_is_named(
    catalog: Catalog, store: LocalStore, instance: dg.DagsterInstance, status: dg.DagsterRunStatus
) -> None:
    ran(instance, FIRST, status)
    draft = write_version(store, [1], Target(TESS, "t/numbers", provenance=Provenance(run_id=FIRST)))
    own = catalog.commit(TESS, [draft])
    assert left_by_a_failure(instance, own) == ["t/model"]


def test_only_the_last_run_counts(instance: dg.DagsterInstance) -> None:
    assert left_by_a_failure(instance, []) == []
    ran(instance, FIRST, dg.DagsterRunStatus.FAILURE)
    ran(instance, SECOND, dg.DagsterRunStatus.SUCCESS)
    assert left_by_a_failure(instance, []) == []
