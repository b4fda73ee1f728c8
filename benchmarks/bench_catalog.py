"""Opening a namespace and moving a hundred refs over a million refs in production, on SQLite and on PostgreSQL."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import Engine, text

from benchmarks.interleave import BenchmarkError, Comparison, Contender, interleaved
from benchmarks.tables import times
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.engine import open_engine
from platform_core.catalog.values import Column, Expectation, InputVersion, Move, Provenance, StoredFile
from platform_core.namespaces import PRODUCTION, Namespace

ASSETS, PARTITIONS, FEW = 100, 10_000, 10
TURNS = 20  # of the quick things; one alone says little
SUBJECT, REFERENCE = "open 20 namespaces on each, 1,000,000 refs", "open 20 namespaces on each, 10 refs"
OPENING, MOVING = (
    "open 20 namespaces, 1,000,000 refs",
    "move 100 refs of as many partitions, asserting 100, of 1,000,000",
)
WHO = Namespace("user", "benchmark")
NUMBERS = count()  # no name of a branch is used twice

FILE = StoredFile("production/t/asset/10000/20260101-000000-0123456789ab/part-0.parquet", 12_345, "xxh3:" + "0f" * 16)
SCHEMA = [Column(f"column_{number}", "int64") for number in range(8)]
INPUTS = (InputVersion("upstream", "t/upstream", "", "20260101-000000-0123456789ab", "production"),)
PROVENANCE = Provenance("0b6d9b0e-8f52-4a2c-9d06-5f5a3ad3a0a1", "t__asset", "ada", "c0de", "c0" * 20, "e4", INPUTS)

# What a year of work may have left behind, made by the database itself.
FILL = (
    """INSERT INTO transactions (namespace, kind, author, message, committed_at)
       VALUES ('production', 'write', 'x', '', '2026-01-01 00:00:00.000000')""",
    """INSERT INTO versions (id, namespace, asset, partition, format, files, data_version, "rows", "schema", metadata,
                             provenance, created_at, "transaction")
       WITH RECURSIVE a(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM a WHERE i < {assets} - 1),
                      p(j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM p WHERE j < {partitions} - 1)
       SELECT '20260101-000000-' || CAST(100000000000 + CAST(i AS BIGINT) * 100000 + j AS VARCHAR), 'production',
              't/asset' || i, CAST(10000 + j AS VARCHAR), 'parquet', '{files}', 'd', 3, '{schema}', '{{}}',
              '{provenance}', '2026-01-01 00:00:00.000000', 1 FROM a, p""",
    """INSERT INTO refs (asset, namespace, partition, "transaction", version)
       SELECT asset, namespace, partition, 1, id FROM versions""",
)


@dataclass(frozen=True)
class Limited(Comparison):
    """A claim that also sets limits in seconds, for the quickest round: in others the machine did something else."""

    limits: Mapping[str, float]

    @property
    def holds(self) -> bool:
        quickest = {name: min(sample.wall for sample in self.samples[name]) for name in self.limits}
        return Comparison.holds.__get__(self) and all(quickest[name] <= limit for name, limit in self.limits.items())


@dataclass(frozen=True, slots=True)
class Filled:
    """One database: a catalog over a million refs, and one over few."""

    name: str
    large: Catalog
    small: Catalog


def main() -> Comparison:
    with tempfile.TemporaryDirectory() as folder, _postgresql() as postgresql:
        databases = [_filled("SQLite", lambda name: f"sqlite:///{folder}/{name}.db"), _filled("PostgreSQL", postgresql)]
        contenders = [
            Contender(SUBJECT, _each(_opening(filled.large) for filled in databases)),
            Contender(REFERENCE, _each(_opening(filled.small) for filled in databases)),
            *(contender for filled in databases for contender in _contenders(filled)),
        ]
        samples = interleaved(contenders, rounds=7)
    limits = {OPENING: 0.010 * TURNS, MOVING: 0.050}
    return Limited(
        claim="Opening a namespace takes as long over 1,000,000 refs as over 10 (1.3 times at most) and less than"
        " 10 ms; moving 100 refs takes less than 50 ms",
        subject=SUBJECT,
        reference=REFERENCE,
        target=1.3,
        samples=samples,
        limits={_on(filled, what): limit for filled in databases for what, limit in limits.items()},
    )


def _on(filled: Filled, what: str) -> str:
    return f"{filled.name}: {what}"


def _contenders(filled: Filled) -> list[Contender]:
    large, moves = filled.large, _moves(filled.large)
    works: dict[str, Callable[[], object]] = {
        OPENING: _opening(large),
        "open 20 namespaces, 10 refs": _opening(filled.small),
        "20 durable rows": _durable_rows(filled.small._engine),
        MOVING: lambda: _promote(large, moves),
        "20 times resolve one partition of 1,000,000": times(TURNS, lambda: _resolve(large, 1)),
        "resolve the 10,000 partitions of an asset": lambda: _resolve(large, PARTITIONS),
        "count what is shown of each asset, of 1,000,000": lambda: _totals(large),
        "find what nobody reaches, of 1,000,000": lambda: _unreachable(large),
    }
    return [Contender(_on(filled, what), work) for what, work in works.items()]


@contextmanager
def _postgresql() -> Iterator[Callable[[str], str]]:
    """The server of the tests: gives the addresses of new catalogs on it."""
    import pytest

    from tests.platform_core.postgres import running_postgres

    try:
        with running_postgres() as server:
            yield lambda _name: server.new_catalog()
    except pytest.skip.Exception as error:
        raise BenchmarkError(str(error)) from error


def _filled(name: str, new: Callable[[str], str]) -> Filled:
    return Filled(name, _catalog(new("large"), ASSETS, PARTITIONS), _catalog(new("small"), 1, FEW))


def _catalog(url: str, assets: int, partitions: int) -> Catalog:
    engine = open_engine(url)
    postgresql = engine.dialect.name == "postgresql"
    with engine.connect().execution_options(headrace_writes=True) as connection, connection.begin():
        if postgresql:  # what is known to be right need not be checked row by row
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for statement in FILL:
            connection.exec_driver_sql(_given(statement, assets, partitions))
    if postgresql:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    return Catalog(engine)


def _given(statement: str, assets: int, partitions: int) -> str:
    parts = {"files": [asdict(FILE)], "schema": [asdict(column) for column in SCHEMA], "provenance": asdict(PROVENANCE)}
    told = {name: json.dumps(value) for name, value in parts.items()}
    return statement.format(assets=assets, partitions=partitions, **told)


def _each(works: Iterator[Callable[[], None]]) -> Callable[[], None]:
    together = list(works)

    def run() -> None:
        for work in together:
            work()

    return run


def _opening(catalog: Catalog) -> Callable[[], None]:
    return times(TURNS, lambda: catalog.open_namespace(Namespace("branch", f"b-{next(NUMBERS)}")))


def _durable_rows(engine: Engine) -> Callable[[], None]:
    """What the disk alone costs: transactions of one row, flushed as those of the catalog are."""
    with engine.connect().execution_options(headrace_writes=True) as connection, connection.begin():
        connection.execute(text("CREATE TABLE plain (n INTEGER)"))

    def insert() -> None:
        with engine.connect().execution_options(headrace_writes=True) as connection, connection.begin():
            connection.execute(text("INSERT INTO plain VALUES (1)"))

    return times(TURNS, insert)


def _resolve(catalog: Catalog, partitions: int) -> None:
    wanted = None if partitions == PARTITIONS else [f"{10_000 + number}" for number in range(partitions)]
    if len(catalog.resolve(WHO, "t/asset7", wanted)) != partitions:
        raise BenchmarkError("The catalog does not show what it was filled with.")


def _totals(catalog: Catalog) -> None:
    if sum(total.partitions for total in catalog.totals(WHO)) != ASSETS * PARTITIONS:
        raise BenchmarkError("The catalog does not count what it was filled with.")


def _unreachable(catalog: Catalog) -> None:
    if catalog.unreachable_versions(datetime.now(UTC) - timedelta(days=30)):
        raise BenchmarkError("A version that production shows counts as one that nobody reaches.")


def _moves(catalog: Catalog) -> list[Move]:
    places = [(f"t/asset{number}", f"{10_000 + 97 * number}") for number in range(ASSETS)]
    return [Move(ref.asset, ref.partition, ref.version) for ref in catalog.shown_refs(PRODUCTION, places)]


def _promote(catalog: Catalog, moves: list[Move]) -> None:
    expects = [Expectation(PRODUCTION, move.asset, move.partition, move.version) for move in moves]
    catalog.move_refs(PRODUCTION, moves, kind="promote", expects=expects)
