"""Athena over the files of versions in S3: one UNLOAD for each query, whose Parquet files are fetched."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from platform_core.catalog.values import new_version_id
from platform_core.errors import SettingsError, WarehouseError
from platform_core.settings import current_settings
from platform_core.store.aws import arrow_filesystem
from platform_core.store.layout import part_name
from platform_core.store.names import version_key
from platform_core.store.opening import open_store
from platform_core.store.reading import read_table
from platform_core.warehouse.embedded import DuckDBEngine
from platform_core.warehouse.engine import Engine
from platform_core.warehouse.glue import GlueTables, arrow_type
from platform_core.warehouse.query import Cost, Query, TableName
from platform_core.warehouse.translation import literals, translated

UNLOADED = "unloaded"
FIRST_LOOK, LONGEST_LOOK = 0.1, 2.0  # seconds between two looks at a query
DONE = "SUCCEEDED"
ENDED = (DONE, "FAILED", "CANCELLED")
DOWNLOADS = 8
BLOCK = 8 * 1024 * 1024


class AthenaEngine(Engine):
    """Takes the same SQL as DuckDB, which it translates.

    Args:
        workgroup: whose limits and encryption hold for the queries.
        database: of the Glue catalog, in which a table is made for what is read of an asset.
    """

    name: ClassVar[str] = "Athena"

    def __init__(self, workgroup: str, database: str) -> None:
        self._workgroup, self._database = workgroup, database

    @cached_property
    def _athena(self) -> Any:
        return _client("athena")

    @cached_property
    def _glue(self) -> GlueTables:
        return GlueTables(_client("glue"), self._database)

    def tables_of(self, sql: str) -> list[TableName]:
        return DuckDBEngine().tables_of(sql)

    def table(self, query: Query) -> tuple[pa.Table, Cost]:
        with TemporaryDirectory() as folder:
            cost = self.unload(query, Path(folder))
            return read_table(sorted(Path(folder).iterdir()), pa.Table), cost

    def unload(self, query: Query, folder: Path) -> Cost:
        began = time.perf_counter()
        with _said(query), _place() as uri:
            tables = {table.name.parts: self._glue.ensure(table) for table in query.tables}
            sql, parameters = translated(query, tables)
            statement = f"UNLOAD ({sql}) TO '{uri}/files/' WITH (format = 'PARQUET', compression = 'SNAPPY')"
            scanned = self._run(query, self._start(uri, statement, literals(parameters)))
            if not _fetch(f"{uri}/files", folder):
                empty = self._start(uri, f"SELECT * FROM ({sql}) LIMIT 0", literals(parameters))
                self._run(query, empty)
                self._write_empty(empty, folder)
        return Cost(time.perf_counter() - began, scanned)

    def _run(self, query: Query, execution: str) -> int:
        """Waits for the end of a statement, or stops it. The bytes that it scanned."""
        try:
            ended = self._wait(query, execution)
        except BaseException:
            self._athena.stop_query_execution(QueryExecutionId=execution)
            raise
        if ended["Status"]["State"] != DONE:
            raise WarehouseError(_reason(ended["Status"].get("StateChangeReason", "somebody stopped it")))
        return int(ended["Statistics"].get("DataScannedInBytes", 0))

    def _start(self, uri: str, statement: str, parameters: list[str]) -> str:
        given: dict[str, Any] = {"ExecutionParameters": parameters} if parameters else {}
        started = self._athena.start_query_execution(
            QueryString=statement,
            QueryExecutionContext={"Database": self._database},
            ResultConfiguration={"OutputLocation": f"{uri}/results/"},
            WorkGroup=self._workgroup,
            **given,
        )
        return str(started["QueryExecutionId"])

    def _wait(self, query: Query, execution: str) -> dict[str, Any]:
        ends, pause = time.monotonic() + query.timeout, FIRST_LOOK
        while True:
            found: dict[str, Any] = self._athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]
            state = found["Status"]["State"]
            if state in ENDED:
                return found
            if (left := ends - time.monotonic()) <= 0:
                raise query.too_late()
            time.sleep(min(pause, left))
            pause = min(2 * pause, LONGEST_LOOK)

    def _write_empty(self, execution: str, folder: Path) -> None:
        """Of no rows UNLOAD writes no file, and so no columns: they are asked for."""
        told = self._athena.get_query_results(QueryExecutionId=execution)["ResultSet"]["ResultSetMetadata"]
        fields = [pa.field(column["Name"], arrow_type(column)) for column in told["ColumnInfo"]]
        pq.write_table(pa.schema(fields).empty_table(), folder / part_name(0))


def _client(service: str) -> Any:
    try:
        import boto3
    except ImportError as error:
        raise SettingsError("HEADRACE_WAREHOUSE=athena needs boto3 and sqlglot: uv sync --extra athena") from error
    return boto3.client(service)


@contextmanager
def _said(query: Query) -> Iterator[None]:
    """One sentence for whatever AWS refuses."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except WarehouseError as error:
        if str(error).startswith(query.asked_from):
            raise
        raise query.refused(str(error)) from error
    except ClientError as error:
        told = error.response.get("Error", {})
        raise query.refused(f"AWS refused: {told.get('Message', error)} ({told.get('Code', '')})") from error
    except BotoCoreError as error:
        raise query.refused(f"AWS cannot be reached: {error}") from error


@contextmanager
def _place() -> Iterator[str]:
    """An address below the namespace's own prefix, whose files are removed when they were fetched."""
    settings = current_settings()
    store = open_store(settings.store)
    key = version_key(settings.namespace, UNLOADED, "", new_version_id())
    try:
        yield store.uri(key)
    finally:
        store.discard(key)


def _fetch(uri: str, folder: Path) -> bool:
    """Downloads the files below an address, several at once; whether there were any."""
    import pyarrow.fs

    filesystem, root = arrow_filesystem(), uri.removeprefix("s3://")
    selector = pyarrow.fs.FileSelector(root, allow_not_found=True, recursive=True)
    found = sorted(item.path for item in filesystem.get_file_info(selector) if item.is_file and item.size)

    def fetch(number: int, path: str) -> None:
        with filesystem.open_input_stream(path) as source, (folder / part_name(number)).open("wb") as target:
            shutil.copyfileobj(source, target, BLOCK)

    with ThreadPoolExecutor(DOWNLOADS) as pool:
        for done in [pool.submit(fetch, number, path) for number, path in enumerate(found)]:
            done.result()
    return bool(found)


def _reason(text: str) -> str:
    """What Athena says of an error, without the place in a translated query that nobody has written."""
    return re.sub(r"^(\w+: )?line \d+:\d+: ", "", text.strip().partition("\n")[0])
