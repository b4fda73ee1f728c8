"""moto's Athena, which runs nothing, made to run UNLOAD: by DuckDB, over the tables that moto's Glue knows.

Strict where Athena is: an UNLOAD needs an empty place and takes one SELECT, tables must be in Glue, `?` are counted,
and of no rows no file is written.
"""

import json
import re
import threading
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs
import pyarrow.parquet as pq
import sqlglot
from moto.athena.models import AthenaBackend, QueryResults
from moto.athena.responses import AthenaResponse
from moto.glue.models import glue_backends
from sqlglot import exp

from platform_core.store.aws import arrow_filesystem

OPTIONS = r"WITH \(format = 'PARQUET', compression = 'SNAPPY'\)"
UNLOAD = re.compile(rf"UNLOAD \((.*)\) TO '(s3://[^']+/)' {OPTIONS}", re.DOTALL)
TYPES = {"BIGINT": "bigint", "INTEGER": "integer", "VARCHAR": "varchar", "DOUBLE": "double", "BOOLEAN": "boolean"}


class Double:
    """What was asked, and how to let it be slow."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.parameters: list[list[str]] = []
        self.stopped: list[str] = []
        self.endless = False
        self.database = ""
        self.results: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def start(self, backend: Any, execution: Any) -> None:
        self.statements.append(execution.query)
        self.parameters.append(execution.execution_parameters or [])
        try:
            with self._lock:
                self.results[execution.id] = self._run(backend, execution.query, execution.execution_parameters or [])
        except (duckdb.Error, AssertionError, sqlglot.ParseError) as error:
            text = str(error).splitlines()[0]
            self.results[execution.id] = {"reason": f"SYNTAX_ERROR: line 1:8: {text}"}

    def _run(self, backend: Any, statement: str, parameters: list[str]) -> dict[str, Any]:
        unload = UNLOAD.fullmatch(statement)
        sql = unload[1] if unload else statement
        tree = sqlglot.parse_one(sql, read="athena")
        places = list(tree.find_all(exp.Placeholder))
        assert sql.count("?") >= len(places) == len(parameters), "Incorrect number of parameters"
        with duckdb.connect() as connection:
            scanned = sum(self._show(connection, backend, table) for table in tree.find_all(exp.Table) if table.db)
            text = self._with(tree, parameters)
            if unload is None:
                described = connection.execute(f"describe {text}").fetchall()
                return {"columns": [{"Name": name, "Type": _type(kind)} for name, kind, *_ in described], "scanned": 0}
            table = connection.sql(_with_sums(connection, text)).to_arrow_table()
        place = unload[2].removeprefix("s3://")
        filesystem = arrow_filesystem()
        selector = pyarrow.fs.FileSelector(place, allow_not_found=True, recursive=True)
        assert not filesystem.get_file_info(selector), "HIVE_PATH_ALREADY_EXISTS"
        for number in range(min(2, table.num_rows)):  # as Athena does: several files
            half = table.slice(0, table.num_rows // 2) if number == 0 and table.num_rows > 1 else None
            piece = half if half is not None else table.slice(table.num_rows // 2 if table.num_rows > 1 else 0)
            pq.write_table(piece, f"{place}2026_{number}_part", filesystem=filesystem, compression="snappy")
        return {"scanned": scanned}

    def _with(self, tree: Any, parameters: list[str]) -> str:
        values = iter(parameters)

        def given(found: "re.Match[str]") -> str:
            return next(values) if found[0] == "?" else found[0]

        text = re.sub(r"'(?:[^']|'')*'|\?", given, tree.sql("athena"))
        return str(sqlglot.transpile(text, read="athena", write="duckdb")[0])

    def _show(self, connection: Any, backend: Any, table: Any) -> int:
        known = glue_backends[backend.account_id][backend.region_name].databases[table.db].tables[table.name]
        places = [part.partition_input["StorageDescriptor"]["Location"] for part in known.partitions.values()]
        filesystem = arrow_filesystem()
        files = [
            item.path
            for place in places
            for item in filesystem.get_file_info(pyarrow.fs.FileSelector(place.removeprefix("s3://"), recursive=True))
            if item.is_file
        ]
        schemas = [pq.read_schema(file, filesystem=filesystem) for file in files]
        schema = pa.unify_schemas(
            [pa.schema([f.remove_metadata() for f in s]) for s in schemas], promote_options="permissive"
        )
        data = ds.dataset(files, filesystem=filesystem, schema=schema)
        whole = data.to_table()
        connection.execute(f'create schema if not exists "{table.db}"')
        name = f"t{id(table)}"
        connection.register(name, whole)
        connection.execute(f'create or replace view "{table.db}"."{table.name}" as select * from {name}')
        inner, root = table.find_ancestor(exp.Select), table.root()
        used = {column.name for column in root.find_all(exp.Column) if column.find_ancestor(exp.Select) is not inner}
        return sum(whole[name].nbytes for name in whole.schema.names if name in used)


def _with_sums(connection: Any, text: str) -> str:
    """In Athena a sum of integers is a bigint."""
    columns = connection.execute(f"describe {text}").fetchall()
    chosen = [f'"{name}"::bigint as "{name}"' if kind == "HUGEINT" else f'"{name}"' for name, kind, *_ in columns]
    return f"select {', '.join(chosen)} from ({text})"


def _type(kind: str) -> str:
    return TYPES.get(kind, "varchar")


def install(monkeypatch: Any) -> Double:
    double = Double()
    start, describe, stop = (
        AthenaBackend.start_query_execution,
        AthenaResponse.get_query_execution,
        AthenaBackend.stop_query_execution,
    )

    def started(backend: Any, *args: Any, **given: Any) -> str:
        id = start(backend, *args, **given)
        if not double.endless:
            double.start(backend, backend.executions[id])
        return id

    def described(response: Any) -> Any:
        told = json.loads(describe(response))
        execution = told["QueryExecution"]
        found = double.results.get(execution["QueryExecutionId"])
        if found is None:
            execution["Status"]["State"] = "RUNNING"
        elif "reason" in found:
            execution["Status"] |= {"State": "FAILED", "StateChangeReason": found["reason"]}
        else:
            execution["Status"]["State"] = "SUCCEEDED"
            response.athena_backend.executions[execution["QueryExecutionId"]].status = "SUCCEEDED"
            execution["Statistics"]["DataScannedInBytes"] = found["scanned"]
        return json.dumps(told)

    def results(backend: Any, exec_id: str) -> Any:
        info = [{"Precision": 0, "Scale": 0, **column} for column in double.results[exec_id]["columns"]]
        return QueryResults(rows=[], column_info=info)

    def stopped(backend: Any, exec_id: str) -> None:
        double.stopped.append(exec_id)
        stop(backend, exec_id)

    monkeypatch.setattr(AthenaBackend, "start_query_execution", started)
    monkeypatch.setattr(AthenaBackend, "get_query_results", results)
    monkeypatch.setattr(AthenaBackend, "stop_query_execution", stopped)
    monkeypatch.setattr(AthenaResponse, "get_query_execution", described)
    return double
