"""Opening a namespace and moving a hundred refs over a million refs in production, against the same over ten."""

import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

from sqlalchemy import Engine, text

from benchmarks.interleave import BenchmarkError, Comparison, Contender, interleaved
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.engine import open_engine
from platform_core.catalog.values import Expectation, Move
from platform_core.namespaces import PRODUCTION, Namespace

ASSETS, PARTITIONS, FEW = 100, 10_000, 10
TURNS = 20  # of the quick things; one alone says little
SUBJECT, REFERENCE = "open 20 namespaces, 1,000,000 refs", "open 20 namespaces, 10 refs"
WHO = Namespace("user", "benchmark")

FILL = (
    """INSERT INTO transactions (namespace, kind, author, message, committed_at)
       VALUES ('production', 'write', 'x', '', '2026-01-01 00:00:00.000000')""",
    """WITH RECURSIVE a(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM a WHERE i < :assets - 1),
                      p(j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM p WHERE j < :partitions - 1)
       INSERT INTO versions (id, namespace, asset, partition, format, files, data_version, "rows", "schema", metadata,
                             provenance, created_at, "transaction")
       SELECT printf('20260101-000000-%06d%06d', i, j), 'production', 't/asset' || i, printf('%05d', j), 'parquet',
              '[]', 'd', 3, '[]', '{}', '{"inputs": []}', '2026-01-01 00:00:00.000000', 1 FROM a, p""",
    """INSERT INTO refs (asset, namespace, partition, "transaction", version)
       SELECT asset, namespace, partition, 1, id FROM versions""",
)


def main() -> Comparison:
    with tempfile.TemporaryDirectory() as folder:
        large = _catalog(Path(folder) / "large.db", ASSETS, PARTITIONS)
        small = _catalog(Path(folder) / "small.db", 1, FEW)
        moves = _moves(large)
        contenders = [
            Contender(SUBJECT, _opening(large)),
            Contender(REFERENCE, _opening(small)),
            Contender("20 durable rows of SQLite", _durable_rows(small._engine)),
            Contender("20 times resolve one partition of 1,000,000", _times(lambda: _resolve(large, 1))),
            Contender("resolve the 10,000 partitions of an asset", lambda: _resolve(large, PARTITIONS)),
            Contender("move 100 refs, asserting 100, of 1,000,000", lambda: _promote(large, moves)),
        ]
        samples = interleaved(contenders, rounds=7)
    return Comparison(
        claim="Opening a namespace takes as long over 1,000,000 refs as over 10 (1.3 times at most)",
        subject=SUBJECT,
        reference=REFERENCE,
        target=1.3,
        samples=samples,
    )


def _catalog(path: Path, assets: int, partitions: int) -> Catalog:
    engine = open_engine(f"sqlite:///{path}")
    with engine.connect().execution_options(headrace_writes=True) as connection, connection.begin():
        for statement in FILL:
            connection.exec_driver_sql(statement, _given(statement, assets=assets, partitions=partitions))
    return Catalog(engine)


def _given(statement: str, **values: int) -> dict[str, int]:
    return {name: value for name, value in values.items() if f":{name}" in statement}


def _times(work: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        for _ in range(TURNS):
            work()

    return run


def _opening(catalog: Catalog) -> Callable[[], None]:
    numbers = count()
    return _times(lambda: catalog.open_namespace(Namespace("branch", f"b-{next(numbers)}")))


def _durable_rows(engine: Engine) -> Callable[[], None]:
    """What the disk alone costs: transactions of one row, flushed as those of the catalog are."""
    with engine.connect().execution_options(headrace_writes=True) as connection, connection.begin():
        connection.execute(text("CREATE TABLE plain (n INTEGER)"))

    def insert() -> None:
        with engine.connect().execution_options(headrace_writes=True) as connection, connection.begin():
            connection.execute(text("INSERT INTO plain VALUES (1)"))

    return _times(insert)


def _resolve(catalog: Catalog, partitions: int) -> None:
    wanted = None if partitions == PARTITIONS else [f"{number:05}" for number in range(partitions)]
    if len(catalog.resolve(WHO, "t/asset7", wanted)) != partitions:
        raise BenchmarkError("The catalog does not show what it was filled with.")


def _moves(catalog: Catalog) -> list[Move]:
    shown = [catalog.resolve(PRODUCTION, f"t/asset{number}", ["00500"])["00500"].version for number in range(ASSETS)]
    return [Move(version.asset, version.partition, version.id) for version in shown]


def _promote(catalog: Catalog, moves: list[Move]) -> None:
    expects = [Expectation(PRODUCTION, move.asset, move.partition, move.version) for move in moves]
    catalog.move_refs(PRODUCTION, moves, kind="promote", expects=expects)
