"""Versions and sweeps in a real store of MLflow: once, however often they are exported."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.sweep_values import Sweep, Trial
from platform_core.catalog.values import AliasMove, Provenance, Version
from platform_core.cli.main import headrace
from platform_core.store.local import LocalStore
from platform_core.store.values import Target, write_version
from platform_core.tracking.kept import CARD, SERIES
from tests.platform_core.drafts import TESS
from tests.platform_core.tracking.pictures import PNG

mlflow = pytest.importorskip("mlflow")
ASKED = Sweep("sweep-20261121-101010-abc123", "user/tess", "shop/model", "", {"count": 3, "metric": "auc"})
TOLD = {
    "auc": 0.75,
    "auc[origin=JFK]": 0.5,
    "loss": 0.1,
    SERIES: {"loss": [[0, 0.5], [1, 0.1]]},
    CARD: {"about": "A model.", "owners": ["team:a"], "limits": []},
}


def drafted(store: LocalStore, **parameters: Any) -> Version:
    origin = Provenance(author="tess", git_commit="0123", parameters=parameters)
    return write_version(store, {"a": 1}, Target(TESS, "shop/model", "", TOLD, origin, {"ROC curve": PNG}))


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return str(tmp_path / "runs")  # a folder, which MLflow has to be told to take; making a database takes it 20 s


def call(uri: str, *arguments: str) -> Result:
    return CliRunner().invoke(headrace, ["export", "mlflow", *arguments, "--to", uri], catch_exceptions=False)


def runs(uri: str) -> tuple[Any, list[Any]]:
    client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
    return client, client.search_runs([client.get_experiment_by_name("shop/model").experiment_id])


def test_a_version_is_one_run_whose_tags_and_aliases_follow(
    catalog: Catalog, store: LocalStore, uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (version,) = catalog.commit(TESS, [drafted(store, depth=4)])
    catalog.move_aliases(TESS, [AliasMove("shop/model", "champion", version.id)])
    catalog.tag(TESS, version, {"quality": "good"})
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")  # which MLflow sets
    (first,) = json.loads(call(uri, "model", "--json").output)
    assert first["new"]
    assert list((tmp_path / "here").iterdir()) == []
    client, (run,) = runs(uri)
    assert run.data.params == {"depth": "4"}
    assert run.data.metrics == {"auc": 0.75, "auc.origin_JFK": 0.5, "loss": 0.1}
    assert [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, "loss")] == [(0, 0.5), (1, 0.1)]
    assert run.data.tags["quality"] == "good"
    assert (run.data.tags["headrace.version"], run.data.tags["mlflow.user"]) == (version.id, "tess")
    kept = {item.path for folder in ("", "figures", "model") for item in client.list_artifacts(run.info.run_id, folder)}
    assert {"card.md", "figures/%52%4F%43%20curve.png", "model/object.json"} <= kept
    named = client.get_model_version_by_alias("shop.model", "champion")
    assert named.run_id == run.info.run_id

    # Whoever was ended in the middle leaves a run that is found and completed; nothing is there twice.
    client.update_run(run.info.run_id, status="RUNNING")
    catalog.move_aliases(TESS, [AliasMove("shop/model", "champion", None), AliasMove("shop/model", "old", version.id)])
    catalog.tag(TESS, version, {"quality": None})
    call(uri, "model")
    (again,) = json.loads(call(uri, "model", "--json").output)
    assert (again["run"], again["new"]) == (first["run"], False)
    client, (run,) = runs(uri)
    assert run.info.status == "FINISHED"
    assert "quality" not in run.data.tags
    assert len(client.get_metric_history(run.info.run_id, "loss")) == 2
    (model,) = client.search_model_versions("name = 'shop.model'")
    assert client.get_model_version("shop.model", model.version).aliases == ["old"]

    # A sweep is a run with its trials below it, also those without a value.
    catalog.begin_sweep(TESS, ASKED)
    done = catalog.end_trial(
        TESS, Trial(ASKED.id, 1, "done", {"depth": 2}, metrics={"auc": 0.7}), drafted(store, depth=2)
    )
    catalog.end_trial(TESS, Trial(ASKED.id, 2, "failed", {"depth": 9}, sentence="It raised."))
    for _ in range(2):
        assert call(uri, "--sweep", "abc123").exit_code == 0
    client, found = runs(uri)
    assert len(found) == 4
    parent = next(run for run in found if run.data.tags.get("mlflow.runName") == ASKED.id)
    below = [run for run in found if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert {(run.info.status, run.data.params["depth"]) for run in below} == {("FINISHED", "2"), ("FAILED", "9")}
    assert done.version in {run.data.tags.get("headrace.version") for run in below}


def test_a_store_that_cannot_be_used_is_a_sentence(catalog: Catalog, store: LocalStore) -> None:
    catalog.commit(TESS, [drafted(store)])
    told = CliRunner().invoke(headrace, ["export", "mlflow", "model", "--to", "gopher://nowhere"])
    assert "MLflow at gopher://nowhere did not take it" in str(told.exception)
