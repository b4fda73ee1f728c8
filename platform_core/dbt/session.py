"""One dbt invocation in terms of the catalog: which versions it reads, which it stages, which it commits."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platform_core.catalog.catalog import Catalog, open_catalog
from platform_core.catalog.values import UNPARTITIONED, InputVersion, Provenance, Shown, Version
from platform_core.errors import PartitionError, listed
from platform_core.provenance import author, environment_hash, git_commit
from platform_core.settings import Settings, current_settings
from platform_core.store.store import Store, open_store
from platform_core.store.values import Target, write_parts, write_version


@dataclass(frozen=True, slots=True)
class Model:
    """A dbt model that was compiled. `reads` are the unique ids of what it refers to."""

    unique_id: str
    asset: str
    sql: str
    partition_by: str | None
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a model: the ids of its committed versions, or none when it was held back."""

    unique_id: str
    asset: str
    versions: tuple[str, ...]


class Session:
    """The reads and writes of one dbt process in one namespace."""

    def __init__(self, settings: Settings, partitions: Sequence[str], run_id: str, step: str) -> None:
        self._settings = settings
        self._partitions = list(partitions)
        self._run = (run_id, step)
        self._read: dict[str, list[InputVersion]] = {}
        self._staged: dict[str, tuple[Model, list[Version]]] = {}

    @classmethod
    def from_environment(cls) -> "Session":
        """A session as the variables of this process describe it; on the command line: of all partitions, in no run."""
        partitions = json.loads(os.environ.get("HEADRACE_DBT_PARTITIONS", "[]"))
        run_id, step = json.loads(os.environ.get("HEADRACE_DBT_RUN", '["", "dbt"]'))
        return cls(current_settings(), partitions, run_id, step)

    @property
    def _catalog(self) -> Catalog:
        return open_catalog(self._settings.catalog)

    @property
    def _store(self) -> Store:
        return open_store(self._settings.store)

    def resolve(self, unique_id: str, asset: str) -> list[Path]:
        """The files of what the namespace shows of an asset, limited to the partitions of this invocation."""
        shown = self._shown(asset)
        self._read[unique_id] = [
            InputVersion(asset, asset, item.version.partition, item.version.id, item.shown_by) for item in shown
        ]
        return [path for item in shown for path in self._store.verified_paths(item.version)]

    def _shown(self, asset: str) -> list[Shown]:
        found = self._catalog.resolve(self._settings.writes_to, asset)
        if not found or (self._partitions and UNPARTITIONED not in found):
            return self._catalog.require(self._settings.writes_to, asset, self._partitions or [UNPARTITIONED])
        return list(found.values())

    def stage(self, model: Model, relation: Any) -> list[Path]:
        """Writes the rows of a model as versions that nobody sees yet. Returns their files."""
        versions = self._write(model, relation, self._provenance(model))
        self._staged[model.unique_id] = (model, versions)
        inputs = [InputVersion(model.asset, model.asset, v.partition, v.id, self._settings.namespace) for v in versions]
        self._read[model.unique_id] = inputs
        return [path for version in versions for path in self._store.verified_paths(version)]

    def _write(self, model: Model, relation: Any, provenance: Provenance) -> list[Version]:
        def target_of(partition: str) -> Target:
            return Target(self._settings.writes_to, model.asset, partition, provenance=provenance)

        if model.partition_by is None:
            return [write_version(self._store, relation, target_of(UNPARTITIONED))]
        parts = write_parts(
            self._store, relation, model.partition_by, target_of,
            accept=lambda keys, complete: self._require_partitions(model, keys, complete),
        )  # fmt: skip
        return list(parts.values())

    def _require_partitions(self, model: Model, keys: Sequence[str], complete: bool) -> None:
        if complete and (empty := [key for key in self._partitions if key not in keys]):
            raise PartitionError(f"{model.asset} has no row for {listed(empty)}: look at what it reads.")
        if strangers := [key for key in keys if self._partitions and key not in self._partitions]:
            raise PartitionError(
                f"{model.asset} was asked for {listed(self._partitions)} but has rows of {listed(strangers)}."
            )

    def _provenance(self, model: Model) -> Provenance:
        run_id, step = self._run
        return Provenance(
            run_id=run_id,
            step=step,
            author=author(),
            code_version=hashlib.sha256(model.sql.encode()).hexdigest()[:12],
            git_commit=git_commit(self._settings.repository),
            environment=environment_hash(model.asset.split("/")[0]),
            inputs=tuple(item for unique_id in model.reads for item in self._read.get(unique_id, ())),
        )

    def publish(self, failed: set[str]) -> list[Receipt]:
        """Commits all staged models in one transaction, except those in `failed`, whose files are removed."""
        good = [
            version
            for model, versions in self._staged.values()
            if model.unique_id not in failed
            for version in versions
        ]
        if good:
            self._catalog.commit(self._settings.writes_to, good, kind="dbt")
        receipts = []
        for model, versions in self._staged.values():
            held_back = model.unique_id in failed
            if held_back:
                self._discard(versions)
            ids = () if held_back else tuple(version.id for version in versions)
            receipts.append(Receipt(model.unique_id, model.asset, ids))
        self._staged.clear()
        return receipts

    def _discard(self, versions: Sequence[Version]) -> None:
        for version in versions:
            self._store.discard(version.files[0].key.rpartition("/")[0])
