"""The one IO manager: reads what the namespace shows as the annotated type, writes new versions in one transaction."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import dagster as dg

from platform_core.catalog.catalog import Catalog, open_catalog
from platform_core.catalog.values import ROW_KEY, UNPARTITIONED, InputVersion, Provenance, Shown, Version
from platform_core.dagster_internals import set_data_version
from platform_core.errors import HeadraceError, PartitionError, listed
from platform_core.event_metadata import (
    OVERTAKEN,
    TRANSACTION,
    common_data_version,
    overtaken,
    plain_metadata,
    version_metadata,
)
from platform_core.provenance import author, environment_hash, git_commit
from platform_core.settings import Settings, current_settings
from platform_core.store.store import Store, open_store
from platform_core.store.tables import is_table
from platform_core.store.values import Target, read_versions, write_parts, write_version

PARTITION_BY = "headrace/partition_by"


class HeadraceIOManager(dg.IOManager):
    """Keeps the values of assets as versions in the store. Opens nothing before the first read or write."""

    def __init__(self) -> None:
        self._reads: dict[tuple[str, str], dict[str, list[InputVersion]]] = defaultdict(dict)

    @property
    def _settings(self) -> Settings:
        return current_settings()

    @property
    def _catalog(self) -> Catalog:
        return open_catalog(self._settings.catalog)

    @property
    def _store(self) -> Store:
        return open_store(self._settings.store)

    def load_input(self, context: dg.InputContext) -> Any:
        """The input's current value, in the type that the parameter is annotated with."""
        with sentences():
            shown = self._resolve(context)
            if _in_a_step(context):
                # By name, so that a step that is tried again counts what it read once.
                self._reads[_step(context)][context.name] = [_as_input(context.name, item) for item in shown]
            kind = context.dagster_type.typing_type
            return read_versions(self._store, [item.version for item in shown], kind)

    def _resolve(self, context: dg.InputContext) -> list[Shown]:
        asset = context.asset_key.to_user_string()
        wanted = _partitions(context)
        # An asset without partitions takes what there is of all partitions; any other needs these very ones.
        if _is_unpartitioned(context) and (found := self._catalog.resolve(self._settings.writes_to, asset, wanted)):
            return list(found.values())
        return self._catalog.require(self._settings.writes_to, asset, wanted)

    def handle_output(self, context: dg.OutputContext, value: Any) -> None:
        """Writes the value as one version per partition and makes all of them current at once."""
        with sentences():
            drafts = self._write(context, value, _partitions(context))
            # Before the commit: what cannot be read back must not become visible.
            metadata = version_metadata(self._store, drafts, self._inputs(context))
            versions = self._catalog.commit(self._settings.writes_to, drafts)
        set_data_version(context, common_data_version(versions))
        told = {TRANSACTION: versions[0].transaction} | self._overtaken(context, versions)
        context.add_output_metadata(metadata | told)

    def _overtaken(self, context: dg.OutputContext, versions: Sequence[Version]) -> dict[str, str]:
        """A sentence when somebody else wrote the same places while this run was going: the last to commit counts."""
        replaced = self._catalog.versions([version.replaces for version in versions if version.replaces])
        others = [version for version in replaced if version.provenance.run_id != context.run_id]
        record = context.step_context.instance.get_run_record_by_id(context.run_id) if others else None
        if record is None or record.start_time is None:
            return {}
        late = [version for version in others if version.created_at.timestamp() > record.start_time]
        return {OVERTAKEN: overtaken(late)} if late else {}

    def _write(self, context: dg.OutputContext, value: Any, partitions: Sequence[str]) -> list[Version]:
        column = context.definition_metadata.get(PARTITION_BY)
        asset = context.asset_key.to_user_string()
        if column is None or not is_table(value):
            require_one_partition(asset, partitions)
            return [write_version(self._store, value, self._target(context, partitions[0]))]
        parts = write_parts(
            self._store, value, column, lambda key: self._target(context, key),
            accept=lambda keys, complete: require_partitions(asset, partitions, column, keys, complete),
        )  # fmt: skip
        return list(parts.values())

    def _inputs(self, context: dg.OutputContext) -> tuple[InputVersion, ...]:
        return tuple(item for items in self._reads[_step(context)].values() for item in items)

    def _target(self, context: dg.OutputContext, partition: str) -> Target:
        metadata = plain_metadata(context.output_metadata)
        if key := context.definition_metadata.get(ROW_KEY):
            metadata[ROW_KEY] = key
        asset = context.asset_key.to_user_string()
        return Target(self._settings.writes_to, asset, partition, metadata, self._provenance(context))

    def _provenance(self, context: dg.OutputContext) -> Provenance:
        step = context.step_context
        return Provenance(
            run_id=context.run_id,
            step=step.step.key,
            author=author(),
            code_version=step.job_def.asset_layer.get(context.asset_key).code_version or "",
            git_commit=git_commit(self._settings.repository),
            environment=environment_hash(context.asset_key.path[0]),
            inputs=self._inputs(context),
        )


class sentences:
    """Turns our errors into failures that Dagster shows as they are and that no retry policy repeats."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, HeadraceError):
            raise dg.Failure(str(error), allow_retries=False) from error


def require_one_partition(asset: str, partitions: Sequence[str]) -> None:
    """A value that cannot be cut has one partition to be."""
    if len(partitions) > 1:
        raise PartitionError(
            f"{asset} computes {len(partitions)} partitions in one run, but the platform cannot split its value:"
            " return a table and name the column that holds the partition key with partition_by=..., or run one"
            " partition at a time."
        )


def require_partitions(
    asset: str, partitions: Sequence[str], column: str, keys: Sequence[str], complete: bool = True
) -> None:
    """The keys of a value must be exactly the partitions of the run; while it is not complete, at most those."""
    if strangers := sorted(set(keys) - set(partitions)):
        raise PartitionError(
            f"{asset} was asked for {listed(partitions)}, but its column {column} also holds {listed(strangers)};"
            " filter those rows out, or run the partitions they belong to."
        )
    if complete and (empty := [key for key in partitions if key not in keys]):
        raise PartitionError(f"{asset} has no row for {listed(empty)}: nothing was written; look at its inputs.")


def _partitions(context: dg.InputContext | dg.OutputContext) -> list[str]:
    """The partitions of the asset that are read or written, in their order: Dagster gives some kinds as a set."""
    if not context.has_asset_partitions:
        return [UNPARTITIONED]
    keys, definition = context.asset_partition_keys, context.asset_partitions_def
    if isinstance(definition, dg.TimeWindowPartitionsDefinition):
        return list(keys)
    wanted = set(keys)
    known = definition.get_partition_keys() if isinstance(definition, dg.StaticPartitionsDefinition) else sorted(keys)
    return [key for key in known if key in wanted]


def _is_unpartitioned(context: dg.InputContext) -> bool:
    consumer = context.step_context.assets_def if _in_a_step(context) else None
    return consumer is None or consumer.partitions_def is None


def _in_a_step(context: dg.InputContext) -> bool:
    """Whether a run reads; a person in a notebook reads with `Definitions.load_asset_value`."""
    try:
        return context.step_context is not None
    except dg.DagsterInvariantViolationError:
        return False


def _step(context: dg.InputContext | dg.OutputContext) -> tuple[str, str]:
    step = context.step_context
    return step.run_id, step.step.key


def _as_input(name: str, shown: Shown) -> InputVersion:
    version = shown.version
    return InputVersion(name, version.asset, version.partition, version.id, shown.shown_by)
