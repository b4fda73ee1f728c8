"""Versions as runs of MLflow, and models as versions of registered models. What is there already is not made twice."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform_core.catalog.sweep_values import Sweep, Trial
from platform_core.catalog.values import REJECTED, SECONDS, Version
from platform_core.errors import ExportError
from platform_core.exporting.names import metric_names, model_name, quoted
from platform_core.namespaces import Namespace
from platform_core.store.figures import ENDING, kind_of, read_executed, read_figures
from platform_core.store.names import segment
from platform_core.store.store import Store
from platform_core.tracking.cards import card_of
from platform_core.tracking.kept import CARD, SERIES

if TYPE_CHECKING:
    from platform_core.catalog.catalog import Catalog

VERSION, TRIAL, SWEEP = "headrace.version", "headrace.trial", "headrace.sweep"
PARENT, NAME, NOTE = "mlflow.parentRunId", "mlflow.runName", "mlflow.note.content"
FINISHED = "FINISHED"
LONGEST_TAG, LONGEST_PARAMETER = 5_000, 6_000
MOST_AT_ONCE = 500  # metrics of one request


@dataclass(frozen=True, slots=True)
class Exported:
    """What a version, a trial or a sweep is in MLflow: the id of its run, and whether that is new."""

    label: str
    run: str
    new: bool


class MLflowExport:
    """Exports to one experiment of one tracking store.

    Args:
        uri: of the store: `http://…`, `sqlite:///…`, or a folder.
        experiment: its name; by default each asset has one of its own name.

    Raises:
        ExportError: mlflow is not installed, or the store cannot be used.
    """

    def __init__(self, catalog: Catalog, store: Store, namespace: Namespace, uri: str, experiment: str = "") -> None:
        self._catalog, self._store, self._namespace, self._experiment = catalog, store, namespace, experiment
        self._mlflow = _client(uri)

    def version(self, version: Version, parent: str = "") -> Exported:
        """A version as a run: parameters, metrics with their series, tags, figures, card, notebook and, of a model, its
        files as a version of a registered model with our aliases. Exported again, tags and aliases follow ours.
        """
        experiment = self._experiment_of(version.asset)
        tags = self._tags(version) | ({PARENT: parent} if parent else {})
        run = self._found(experiment, VERSION, version.id)
        new = run is None or run.info.status != FINISHED
        id = self._begun(run, experiment, _began(version), tags)
        if new:
            self._log(id, version)
            self._files(id, version)
        if CARD in version.metadata and version.rejected is None:
            self._register(id, version)
        if new:
            self._mlflow.set_terminated(id, FINISHED, _millis(version.created_at))
        return Exported(version.label, id, new)

    def sweep(self, sweep: Sweep) -> list[Exported]:
        """A sweep as a run with one below it for each trial, those that failed or were stopped among them."""
        experiment = self._experiment_of(sweep.asset)
        run = self._found(experiment, SWEEP, sweep.id)
        tags = {SWEEP: sweep.id, NAME: sweep.id, "headrace.asset": sweep.asset}
        id = self._begun(run, experiment, None, tags)
        done = [Exported(sweep.id, id, run is None)]
        versions = self._versions_of(trials := self._catalog.trials(sweep.id))
        for trial in trials:
            version = versions.get(trial.version or "")
            done.append(self._trial(experiment, trial, id) if version is None else self.version(version, id))
        self._mlflow.set_terminated(id, FINISHED)
        return done

    def _versions_of(self, trials: Sequence[Trial]) -> dict[str, Version]:
        ids = [trial.version for trial in trials if trial.version]
        return {version.id: version for version in self._catalog.versions(ids)}

    def _trial(self, experiment: str, trial: Trial, parent: str) -> Exported:
        """A trial without a value."""
        name = f"{trial.sweep}/{trial.number}"
        run = self._found(experiment, TRIAL, name)
        tags = {TRIAL: name, PARENT: parent, NAME: f"trial {trial.number}", "headrace.state": trial.state}
        id = self._begun(run, experiment, None, tags | {NOTE: trial.sentence})
        if run is None or run.info.status not in ("FAILED", "KILLED"):
            self._parameters(id, trial.parameters)
            metrics = metric_names(trial.metrics)
            self._metrics(id, ((metrics[key], value, 0, 0) for key, value in trial.metrics.items()))
            self._mlflow.set_terminated(id, "KILLED" if trial.state == "stopped" else "FAILED")
        return Exported(name, id, run is None)

    def _experiment_of(self, asset: str) -> str:
        name = self._experiment or asset
        found = self._mlflow.get_experiment_by_name(name)
        return str(found.experiment_id if found else self._mlflow.create_experiment(name))

    def _found(self, experiment: str, tag: str, value: str) -> Any:
        """The run that says of itself to be this one; None where there is none."""
        runs = self._mlflow.search_runs([experiment], f"tags.`{tag}` = {quoted(value)}", max_results=1)
        return next(iter(runs), None)

    def _begun(self, run: Any, experiment: str, began: int | None, tags: Mapping[str, str]) -> str:
        """The id of a run that says of itself what it is from its first moment: whatever ends us, it is found again."""
        if run is None:
            run = self._mlflow.create_run(experiment, start_time=began, tags=dict(tags))
            return str(run.info.run_id)
        id, said = str(run.info.run_id), run.data.tags
        for name in said.keys() - tags.keys():
            if not name.startswith("mlflow."):
                self._mlflow.delete_tag(id, name)
        for name, value in tags.items():
            if said.get(name) != value:
                self._mlflow.set_tag(id, name, value)
        return id

    def _tags(self, version: Version) -> dict[str, str]:
        origin = version.provenance
        told = {
            VERSION: version.id,
            NAME: version.label,
            "headrace.asset": version.asset,
            "headrace.partition": version.partition,
            "headrace.namespace": version.namespace,
            "headrace.run": origin.run_id,
            "headrace.code_version": origin.code_version,
            "headrace.environment": origin.environment,
            "headrace.data_version": version.data_version,
            "headrace.uri": self._store.uri(version.files[0].key.rpartition("/")[0]) if version.files else "",
            "headrace.inputs": ", ".join(f"{item.asset}@{item.version}" for item in origin.inputs),
            "headrace.refused": str(version.metadata.get(REJECTED, "")),
            "mlflow.user": origin.author,
            "mlflow.source.git.commit": origin.git_commit,
        }
        said = self._catalog.tags(self._namespace, version.asset).get(version.id, {})
        return {name: value[:LONGEST_TAG] for name, value in {**said, **told}.items() if value}

    def _log(self, id: str, version: Version) -> None:
        self._parameters(id, version.provenance.parameters)
        series: Mapping[str, Sequence[tuple[int, float]]] = version.metadata.get(SERIES, {})
        names, moment = metric_names(version.metrics), _millis(version.created_at)
        whole = ((names[key], value, moment, 0) for key, value in version.metrics.items() if key not in series)
        steps = ((names[key], value, moment, step) for key in version.metrics for step, value in series.get(key, ()))
        self._metrics(id, (*whole, *steps))

    def _parameters(self, id: str, given: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        names = metric_names(given)
        params = [Param(names[name], str(value)[:LONGEST_PARAMETER]) for name, value in given.items()]
        for start in range(0, len(params), 100):
            self._mlflow.log_batch(id, params=params[start : start + 100])

    def _metrics(self, id: str, told: Sequence[tuple[str, float, int, int]] | Iterator[Any]) -> None:
        from mlflow.entities import Metric

        known = self._points_of(id)  # of a run that was interrupted: a folder would take them twice
        metrics = [Metric(*item) for item in told if (item[0], item[3]) not in known]
        for start in range(0, len(metrics), MOST_AT_ONCE):
            self._mlflow.log_batch(id, metrics=metrics[start : start + MOST_AT_ONCE])

    def _points_of(self, id: str) -> set[tuple[str, int]]:
        names = self._mlflow.get_run(id).data.metrics
        return {(name, point.step) for name in names for point in self._mlflow.get_metric_history(id, name)}

    def _files(self, id: str, version: Version) -> None:
        with tempfile.TemporaryDirectory(prefix="headrace-export-") as folder:
            for name, drawn in read_figures(self._store, version).items():
                path = Path(folder) / f"{segment(name)}.{kind_of(drawn)}"
                path.write_bytes(drawn)
                self._mlflow.log_artifact(id, str(path), "figures")
            if executed := read_executed(self._store, version):
                path = Path(folder) / f"notebook.{ENDING}"
                path.write_bytes(executed)
                self._mlflow.log_artifact(id, str(path))
        if CARD in version.metadata:
            card = card_of(self._catalog, self._namespace, version)
            self._mlflow.log_text(id, card, "card.md")
            self._mlflow.set_tag(id, NOTE, card[:LONGEST_TAG])
            for path in self._store.verified_paths(version):
                self._mlflow.log_artifact(id, str(path), "model")

    def _register(self, id: str, version: Version) -> None:
        """The model as a version of a registered one, with the names that it has here, and no other."""
        name = model_name(version.asset)
        number = self._model_version(name, id, version)
        wanted = {
            alias.name for alias in self._catalog.aliases(self._namespace, version.asset) if alias.version == version.id
        }
        has = set(self._mlflow.get_model_version(name, number).aliases)
        for alias in sorted(has - wanted):
            self._mlflow.delete_registered_model_alias(name, alias)
        for alias in sorted(wanted - has):
            self._mlflow.set_registered_model_alias(name, alias, number)

    def _model_version(self, name: str, id: str, version: Version) -> str:
        if not self._mlflow.search_registered_models(f"name = {quoted(name)}", max_results=1):
            self._mlflow.create_registered_model(name)
        known = self._mlflow.search_model_versions(f"name = {quoted(name)} and run_id = {quoted(id)}", max_results=1)
        if known:
            return str(known[0].version)
        source = f"{self._mlflow.get_run(id).info.artifact_uri}/model"
        made = self._mlflow.create_model_version(
            name, source, id, tags={VERSION: version.id}, description=version.label
        )
        return str(made.version)


def _client(uri: str) -> Any:
    if "://" not in uri or uri.startswith("file:"):
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # whoever names a folder wants one
    try:
        from mlflow import MlflowClient, set_tracking_uri
    except ImportError as error:
        raise ExportError(
            "mlflow is not installed here; add the extra mlflow to headrace: uv sync --extra mlflow, or mlflow-skinny."
        ) from error
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    set_tracking_uri(uri)  # what a client does not hand on looks there: else it would make a database in this folder
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _began(version: Version) -> int:
    return _millis(version.created_at) - int(float(version.metadata.get(SECONDS, 0)) * 1000)


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
