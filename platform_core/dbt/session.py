"""One dbt invocation in terms of the catalog: which versions it reads, which it stages, which it commits."""

import json
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.opening import open_catalog
from platform_core.catalog.values import SENSITIVE, UNPARTITIONED, AsOf, InputVersion, Provenance, Shown, Version
from platform_core.environments.frozen import environment_here
from platform_core.errors import PartitionError, listed
from platform_core.provenance import author, cost_of, git_commit
from platform_core.settings import Settings, current_settings
from platform_core.store.opening import open_store
from platform_core.store.store import Store
from platform_core.store.values import Target, write_parts, write_version

INSTEAD = "HEADRACE_DBT_INSTEAD"  # by asset the ids of versions, as JSON
INPUTS = "HEADRACE_DBT_INPUTS"  # by asset the partitions that are read of it, where they are not those that are written


@dataclass(frozen=True, slots=True)
class Model:
    """A dbt model that was compiled. `reads` are the unique ids of what it refers to."""

    unique_id: str
    asset: str
    code_version: str
    partition_by: str | None
    reads: tuple[str, ...]
    sensitive: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a model: the ids of its versions, and why they were not published if they were not."""

    unique_id: str
    asset: str
    versions: tuple[str, ...]
    refused: str | None = None


class Session:
    """The reads and writes of one dbt process in one namespace.

    Args:
        partitions: those that are asked for; none means all there are.
        instead: by asset the ids of versions that are read in place of what the namespace shows.
        inputs: by asset the partitions that are read of it; of others, those that are asked for.
    """

    def __init__(  # noqa: PLR0917
        self,
        settings: Settings,
        partitions: Sequence[str],
        run_id: str,
        step: str,
        instead: Mapping[str, Sequence[str]] | None = None,
        inputs: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._settings = settings
        self._instead, self._inputs = instead or {}, inputs or {}
        self.partitions = list(partitions)
        self._run = (run_id, step)
        self._as_of: AsOf | None = None
        self._lock = threading.Lock()
        self._read: dict[str, list[InputVersion]] = {}
        self._before: dict[str, list[InputVersion]] = {}
        self._staged: dict[str, tuple[Model, list[Version]]] = {}

    @classmethod
    def from_environment(cls) -> "Session":
        """A session as the variables of this process describe it; on the command line: of all partitions, in no run."""
        partitions = json.loads(os.environ.get("HEADRACE_DBT_PARTITIONS", "[]"))
        run_id, step = json.loads(os.environ.get("HEADRACE_DBT_RUN", '["", "dbt"]'))
        instead, inputs = (json.loads(os.environ.get(name, "{}")) for name in (INSTEAD, INPUTS))
        return cls(current_settings(), partitions, run_id, step, instead, inputs)

    @property
    def _catalog(self) -> Catalog:
        return open_catalog(self._settings.catalog)

    @property
    def _store(self) -> Store:
        return open_store(self._settings.store)

    @property
    def _written_to(self) -> Store:
        return self._store

    @property
    def keeps(self) -> bool:
        """Whether what is staged may become versions, so that it matters by which code it was computed."""
        return True

    def resolve(self, unique_id: str, asset: str) -> list[Path]:
        """The files of what the namespace shows of an asset, limited to the partitions of this invocation."""
        shown = self._shown(asset)
        self._read[unique_id] = [_as_input(item) for item in shown]
        return [path for item in shown for path in self._store.verified_paths(item.version)]

    def _shown(self, asset: str) -> list[Shown]:
        if ids := self._instead.get(asset):
            return [Shown(version, version.namespace) for version in self._catalog.versions(ids)]
        found = self._resolved(asset)
        wanted = self._inputs.get(asset, self.partitions)
        if not found or (wanted and UNPARTITIONED not in found):
            wanted = wanted or [UNPARTITIONED]
            return self._catalog.require(self._settings.writes_to, asset, wanted, self._moment())
        return list(found.values())

    def _resolved(self, asset: str) -> dict[str, Shown]:
        return self._catalog.resolve(self._settings.writes_to, asset, as_of=self._moment())

    def _moment(self) -> AsOf:
        """What the run takes notice of; outside a run, what there was when this process first asked."""
        with self._lock:  # of dbt's threads
            if self._as_of is None:
                run_id, namespace = self._run[0], self._settings.writes_to
                newest = self._catalog.newest_transaction
                self._as_of = self._catalog.as_of_run(namespace, run_id) if run_id else AsOf(newest())
            return self._as_of

    def is_shown(self, asset: str) -> bool:
        return bool(self._resolved(asset))

    def written_at(self, asset: str) -> datetime:
        """When the newest version of an asset was written that this invocation reads, in UTC without saying so."""
        return max(item.version.created_at for item in self._shown(asset)).astimezone(UTC).replace(tzinfo=None)

    def resume(self, unique_id: str, asset: str) -> list[Path]:
        """The files that a model goes on from: what the namespace shows of its partitions, none at its first time."""
        found = self._resolved(asset)
        shown = [item for key, item in found.items() if not self.partitions or key in (UNPARTITIONED, *self.partitions)]
        self._before[unique_id] = [_as_input(item) for item in shown]
        return [path for item in shown for path in self._store.verified_paths(item.version)]

    def stage(self, model: Model, relation: Any) -> list[Path]:
        """Writes the rows of a model as versions that nobody sees yet. Returns their files."""
        began = time.monotonic()
        written = self._write(model, relation)
        spent = cost_of((time.monotonic() - began) / max(len(written), 1))
        versions = [replace(version, metadata={**version.metadata, **spent}) for version in written]
        self._staged[model.unique_id] = (model, versions)
        inputs = [InputVersion(model.asset, model.asset, v.partition, v.id, self._settings.namespace) for v in versions]
        self._read[model.unique_id] = inputs
        return [path for version in versions for path in self._written_to.verified_paths(version)]

    def _write(self, model: Model, relation: Any) -> list[Version]:
        said = {SENSITIVE: ",".join(model.sensitive)} if model.sensitive else {}
        provenance, before = self._provenance(model), self._before.get(model.unique_id, ())

        def target_of(partition: str) -> Target:
            read = provenance.inputs + tuple(item for item in before if item.partition == partition)
            made = replace(provenance, inputs=_inputs_of(partition, read))
            return Target(self._settings.writes_to, model.asset, partition, said, made)

        if model.partition_by is None:
            return [write_version(self._written_to, relation, target_of(UNPARTITIONED))]
        parts = write_parts(
            self._written_to, relation, model.partition_by, target_of,
            accept=lambda keys, complete: self._require_partitions(model, keys, complete),
        )  # fmt: skip
        return list(parts.values())

    def _require_partitions(self, model: Model, keys: Sequence[str], complete: bool) -> None:
        if complete and (empty := [key for key in self.partitions if key not in keys]):
            raise PartitionError(f"{model.asset} has no row for {listed(empty)}: look at what it reads.")
        if strangers := [key for key in keys if self.partitions and key not in self.partitions]:
            raise PartitionError(
                f"{model.asset} was asked for {listed(self.partitions)} but has rows of {listed(strangers)}."
            )

    def _provenance(self, model: Model) -> Provenance:
        run_id, step = self._run
        return Provenance(
            run_id=run_id,
            step=step,
            author=author(),
            code_version=model.code_version,
            git_commit=git_commit(self._settings.repository),
            environment=environment_here(model.asset.split("/")[0]),
            inputs=tuple(item for unique_id in model.reads for item in self._read.get(unique_id, ())),
        )

    def publish(self, refused: Mapping[str, str]) -> list[Receipt]:
        """Commits the staged models in one transaction, but keeps as rejected those refused and all that read them.

        Args:
            refused: by unique id why not.
        """
        reasons: dict[str, str] = {}
        for name, (model, _) in self._staged.items():  # upstream first, as dbt builds them
            if reason := refused.get(name) or _inherited(model, reasons, self._staged):
                reasons[name] = reason
        self._commit([version for name, (_, made) in self._staged.items() if name not in reasons for version in made])
        receipts = [self._receipt(*self._staged[name], reasons.get(name)) for name in self._staged]
        self._staged.clear()
        return receipts

    def _commit(self, versions: Sequence[Version]) -> None:
        if versions:
            self._catalog.commit(self._settings.writes_to, versions, kind="dbt")

    def _receipt(self, model: Model, versions: Sequence[Version], reason: str | None) -> Receipt:
        ids = tuple(version.id for version in versions)
        if reason is None:
            return Receipt(model.unique_id, model.asset, ids)
        sentence = f"{model.asset} was not published: {reason}"
        self._catalog.reject(self._settings.writes_to, versions, sentence)
        return Receipt(model.unique_id, model.asset, ids, sentence)


def _inherited(model: Model, reasons: Mapping[str, str], staged: Mapping[str, tuple[Model, Any]]) -> str | None:
    """Why a model that passed its own tests is not published: what it was computed from was not."""
    source = next((name for name in model.reads if name in reasons), None)
    return f"it was computed from {staged[source][0].asset}, which was not" if source else None


def _as_input(shown: Shown) -> InputVersion:
    version = shown.version
    return InputVersion(version.asset, version.asset, version.partition, version.id, shown.shown_by)


def _inputs_of(partition: str, read: Sequence[InputVersion]) -> tuple[InputVersion, ...]:
    """Of what an invocation read, what one of its partitions is computed from: of each asset the same one, if any."""
    has = {item.asset for item in read if item.partition == partition}
    return tuple(item for item in read if item.asset not in has or item.partition == partition)
