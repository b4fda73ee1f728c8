"""The one IO manager: reads what the namespace shows as the annotated type, writes new versions in one transaction."""

from collections import defaultdict
from collections.abc import Sequence
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, NoReturn, Union, get_args, get_origin

import dagster as dg

from platform_core.catalog.opening import open_catalog
from platform_core.catalog.values import (
    BYTES_IN_MEMORY,
    REJECTED,
    ROW_KEY,
    SENSITIVE,
    UNPARTITIONED,
    AsOf,
    InputVersion,
    Provenance,
    Shown,
    Version,
)
from platform_core.environments.frozen import environment_here
from platform_core.errors import HeadraceError, PartitionError, UnsupportedValueError, listed
from platform_core.event_metadata import (
    TRANSACTION,
    common_data_version,
    notebook_metadata,
    plain_metadata,
    queries_metadata,
    raced,
    version_metadata,
)
from platform_core.orchestrator.partitions import needed_upstream
from platform_core.orchestrator.steps import set_data_version
from platform_core.provenance import author, git_commit, spent
from platform_core.settings import Settings, current_settings
from platform_core.store.opening import open_store
from platform_core.store.store import Store
from platform_core.store.tables import is_table
from platform_core.store.values import Target, read_versions, write_parts, write_version
from platform_core.tracing.spans import span
from platform_core.tracking.executed import FAILED_CELL
from platform_core.tracking_metadata import kept_figures, kept_metadata, kept_parameters, told_of_models
from platform_core.warehouse.ledger import Asked, inputs_of, take

if TYPE_CHECKING:
    from platform_core.catalog.catalog import Catalog

PARTITION_BY = "headrace/partition_by"
KEPT = (ROW_KEY, SENSITIVE)  # what a definition says and every version of it keeps


class HeadraceIOManager(dg.IOManager):
    """Keeps the values of assets as versions in the store. Opens nothing before the first read or write."""

    def __init__(self) -> None:
        self._reads: dict[tuple[str, str], dict[str, list[InputVersion]]] = defaultdict(dict)
        self._asked: dict[tuple[str, str], list[Asked]] = defaultdict(list)

    @property
    def _settings(self) -> Settings:
        return current_settings()

    @property
    def _catalog(self) -> "Catalog":
        return open_catalog(self._settings.catalog)

    @property
    def _store(self) -> Store:
        return open_store(self._settings.store)

    def load_input(self, context: dg.InputContext) -> Any:
        """The input's current value, in the type that the parameter is annotated with."""
        with sentences():
            require_asset(context)
            shown = self._resolve(context)
            if _in_a_step(context):
                # By name, so that a step that is tried again counts what it read once.
                self._reads[_step(context)][context.name] = [_as_input(context.name, item) for item in shown]
            kind, _ = without_none(context.dagster_type.typing_type)
            if not shown:
                return None
            versions = [item.version for item in shown]
            with span("store.read", asset=versions[0].asset, versions=len(versions), bytes=_bytes(versions)):
                return read_versions(self._store, versions, kind)

    def _resolve(self, context: dg.InputContext) -> list[Shown]:
        asset, wanted = context.asset_key.to_user_string(), _partitions(context)
        as_of = self._as_of(context.step_context.run_id) if _in_a_step(context) else None
        found = self._catalog.resolve(self._settings.writes_to, asset, wanted, as_of)
        if not found and without_none(context.dagster_type.typing_type)[1]:
            return []  # the function says that it can do without
        # An asset without partitions takes what there is of all partitions; any other needs these very ones.
        if len(found) == len(wanted) or (found and _is_unpartitioned(context)):
            return list(found.values())
        return self._catalog.require(self._settings.writes_to, asset, wanted, as_of)  # which says what is missing

    def _as_of(self, run_id: str) -> AsOf:
        return self._catalog.as_of_run(self._settings.writes_to, run_id)

    def handle_output(self, context: dg.OutputContext, value: Any) -> None:
        """Writes the value as one version per partition and makes all of them current at once.

        What its checks rejected is kept as well, but shown by no ref, and fails the step.
        """
        with sentences():
            require_asset(context)
            self._as_of(context.run_id)  # before the run's own first write, if nobody has asked yet
            self._asked[_step(context)] += take(_step(context))
            if reason := plain_metadata(context.output_metadata).get(REJECTED):
                self._reject(context, value, str(reason))
            with span("store.write", asset=context.asset_key.to_user_string()) as written:
                drafts = self._write(context, value, _partitions(context))
                written.set_attribute("bytes", _bytes(drafts))
            # Before the commit: what cannot be read back must not become visible.
            metadata = version_metadata(self._store, drafts, self._inputs(context))
            metadata |= told_of_models(self._catalog, self._settings.writes_to, drafts)
            with span("catalog.commit", asset=drafts[0].asset, versions=len(drafts)) as committed:
                versions = self._catalog.commit(self._settings.writes_to, drafts)
                committed.set_attribute("transaction", versions[0].transaction)
        set_data_version(context, common_data_version(versions))
        told = {TRANSACTION: versions[0].transaction} | raced(self._catalog, versions, context.step_context.instance)
        context.add_output_metadata(metadata | told | queries_metadata(self._asked[_step(context)]))

    def _reject(self, context: dg.OutputContext, value: Any, reason: str) -> NoReturn:
        partitions = _partitions(context)
        try:
            drafts = self._write(context, value, partitions)
        except (PartitionError, UnsupportedValueError):  # the column that would split it may be what is wrong
            drafts = [write_version(self._store, value, self._target(context, partitions[0]))]
        kept = self._catalog.reject(self._settings.writes_to, drafts, reason)
        labels = listed([version.label for version in kept], most=2)
        # A notebook that failed may reach its end the next time; what checks refuse, they refuse again.
        raise dg.Failure(
            f"{reason}. What was computed is kept for a look, and read by nobody: {labels}.",
            metadata=notebook_metadata(self._store, kept[0]),
            allow_retries=FAILED_CELL in context.output_metadata,
        )

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
        read = [item for items in self._reads[_step(context)].values() for item in items]
        known = {item.version for item in read}
        asked = inputs_of(self._asked[_step(context)])
        return (*read, *(item for item in asked if item.version not in known))

    def _target(self, context: dg.OutputContext, partition: str) -> Target:
        metadata = plain_metadata(context.output_metadata)
        metadata |= {name: context.definition_metadata[name] for name in KEPT if name in context.definition_metadata}
        sizes = getattr(context.output_metadata.get(BYTES_IN_MEMORY), "value", {})
        metadata |= spent(len(_partitions(context)))
        if partition in sizes:
            metadata[BYTES_IN_MEMORY] = sizes[partition]
        metadata |= kept_metadata(
            context.output_metadata, context.step_context.job_def.asset_layer.get(context.asset_key)
        )
        figures = kept_figures(context.output_metadata)
        asset = context.asset_key.to_user_string()
        made = self._provenance(context, partition)
        return Target(self._settings.writes_to, asset, partition, metadata, made, figures)

    def _inputs_of(self, context: dg.OutputContext, partition: str) -> tuple[InputVersion, ...]:
        """Of what a step of several partitions read, what one of them is computed from."""
        read = self._inputs(context)
        if partition not in (keys := _partitions(context)) or len(keys) == 1:  # strangers are refused later
            return read
        needed = {
            asset: needed_upstream(context, dg.AssetKey.from_user_string(asset), partition)
            for asset in {item.asset for item in read}
        }
        return tuple(item for item in read if (own := needed[item.asset]) is None or item.partition in own)

    def _provenance(self, context: dg.OutputContext, partition: str) -> Provenance:
        step = context.step_context
        return Provenance(
            run_id=context.run_id,
            step=step.step.key,
            author=author(),
            code_version=step.job_def.asset_layer.get(context.asset_key).code_version or "",
            git_commit=git_commit(self._settings.repository),
            environment=environment_here(context.asset_key.path[0]),
            parameters=kept_parameters(step.op_config, context.output_metadata),
            inputs=self._inputs_of(context, partition),
        )


def _bytes(versions: Sequence[Version]) -> int:
    return sum(version.bytes for version in versions)


def without_none(annotation: Any) -> tuple[Any, bool]:
    """An annotation such as `pl.DataFrame | None` without the None, and whether there was one."""
    members = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ()
    if NoneType not in members:
        return annotation, False
    rest = [member for member in members if member is not NoneType]
    return (rest[0] if len(rest) == 1 else Any), True


class sentences:
    """Turns our errors into failures that Dagster shows as they are and that no retry policy repeats."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, HeadraceError):
            raise dg.Failure(str(error), allow_retries=False) from error


def require_asset(context: dg.InputContext | dg.OutputContext) -> None:
    """What ops hand to each other has no name under which it could be a version.

    Raises:
        UnsupportedValueError: the value belongs to no asset.
    """
    if not context.has_asset_key:
        raise UnsupportedValueError(
            f"The value '{context.name}' is handed from op to op, and the platform keeps values of assets only;"
            " name another io_manager_key for it, such as one of dg.FilesystemIOManager(...)."
        )


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
