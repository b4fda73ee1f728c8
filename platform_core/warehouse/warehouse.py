"""Asks a SQL engine in terms of assets: binds names to versions, and notes what was read and what it cost."""

import shutil
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import dagster as dg
import pyarrow as pa

from platform_core.catalog.opening import open_catalog
from platform_core.catalog.values import new_version_id
from platform_core.errors import WarehouseError
from platform_core.settings import current_settings
from platform_core.store.names import version_key
from platform_core.store.opening import open_store
from platform_core.store.unloaded import Unloaded
from platform_core.warehouse.engine import Engine
from platform_core.warehouse.ledger import Asked, Step, note
from platform_core.warehouse.naming import Asker, Naming, Partitions
from platform_core.warehouse.query import Cost, Parameters, Query

UNLOADED = "unloaded"  # the folder of a namespace for results that no asset has taken
OWN_CODE = tuple(str(Path(__file__).parents[2] / name) for name in ("platform_core", "resources"))


class Warehouse:
    """Queries over what the current namespace shows.

    Args:
        timeout: seconds that a query may take which says nothing else.
    """

    def __init__(self, engine: Engine, timeout: float) -> None:
        self._engine, self._timeout = engine, timeout

    def query(
        self,
        sql: str,
        parameters: Parameters = None,
        partitions: Partitions | None = None,
        timeout: float | None = None,
    ) -> pa.Table:
        """The result of a SELECT, in memory."""
        query = self._prepare(sql, parameters, partitions, timeout)
        table, cost = self._engine.table(query)
        self._note(query, cost, table.num_rows)
        return table

    def ctas(
        self,
        sql: str,
        parameters: Parameters = None,
        partitions: Partitions | None = None,
        timeout: float | None = None,
    ) -> Unloaded:
        """The result of a SELECT as Parquet files that the engine has written."""
        query = self._prepare(sql, parameters, partitions, timeout)
        settings = current_settings()
        store = open_store(settings.store)
        # A folder as that of a version which nobody commits: what is left of a process that was killed goes with gc.
        key = version_key(settings.namespace, UNLOADED, "", new_version_id())
        folder = store.new_folder(key)
        try:
            cost = self._engine.unload(query, folder)
            unloaded = Unloaded(folder, lambda: shutil.rmtree(folder, ignore_errors=True))
        except BaseException:
            store.discard(key)
            raise
        self._note(query, cost, unloaded.rows)
        return unloaded

    def _prepare(self, sql: str, parameters: Parameters, partitions: Partitions | None, timeout: float | None) -> Query:
        settings, asked_from = current_settings(), asking_line(sys._getframe(2))
        catalog, step = open_catalog(settings.catalog), _step()
        as_of = catalog.as_of_run(settings.writes_to, step[0]) if step else None
        naming = Naming(catalog, settings.writes_to, _asker(), as_of)
        try:
            bound = naming.bind(self._engine.tables_of(sql), partitions or {})
        except WarehouseError as error:
            raise WarehouseError(f"{asked_from}: {error}") from error
        return Query(sql, parameters, bound, self._timeout if timeout is None else timeout, asked_from)

    def _note(self, query: Query, cost: Cost, rows: int) -> None:
        note(Asked(_step(), query.title, self._engine.name, cost, rows, query.inputs))


def asking_line(frame: FrameType | None) -> str:
    """The file and line of the code outside the platform that is being called from a frame."""
    while frame is not None and frame.f_code.co_filename.startswith(OWN_CODE):
        frame = frame.f_back
    if frame is None:
        return "the query"
    path, root = Path(frame.f_code.co_filename), current_settings().repository
    return f"{path.relative_to(root) if path.is_relative_to(root) else path.name}:{frame.f_lineno}"


def _context() -> dg.AssetExecutionContext | None:
    try:
        return dg.AssetExecutionContext.get()
    except dg.DagsterInvariantViolationError:
        return None  # a notebook, or a thread of its own


def _step() -> Step | None:
    if (context := _context()) is None:
        return None
    step = context.op_execution_context.get_step_execution_context()
    return step.run_id, step.step.key


def _asker() -> Asker:
    context: Any = _context()
    if context is None or not context.has_assets_def:
        return Asker()
    own = [key.to_user_string() for key in context.assets_def.keys]
    read = [key.to_user_string() for key in context.assets_def.keys_by_input_name.values()]
    return Asker(own[0], frozenset([*own, *read]))
