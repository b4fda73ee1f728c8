"""What only DuckDB in this process can get wrong."""

import os
import signal
import threading
import time
from pathlib import Path

import polars as pl
import pytest

from platform_core.errors import WarehouseError
from platform_core.warehouse.ledger import take
from resources.warehouse import DuckDBWarehouse
from tests.platform_core.warehouse.conftest import World

ENDLESS = "select count(*) as n from range(1000000000000) as r where hash(r.range) = 1"


def test_other_files_are_out_of_reach(world: World, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    local = __import__("pandas").DataFrame({"a": [1]})  # a variable is no table
    for source in (f"'{secret}'", f"read_csv('{secret}')", f"read_text('{secret}')", "local"):
        with pytest.raises(WarehouseError):
            DuckDBWarehouse().query(f"select * from {source}")
    assert len(local) == 1


def test_a_query_that_takes_too_long_is_stopped(world: World) -> None:
    began = time.monotonic()
    with pytest.raises(WarehouseError, match=r"test_embedded.py:\d+: the query was stopped after 0.2 s: select count"):
        DuckDBWarehouse().query(ENDLESS, timeout=0.2)
    assert time.monotonic() - began < 10
    assert DuckDBWarehouse().query("select 1 as a").to_pylist() == [{"a": 1}]


def test_an_interrupt_stops_the_query_too(world: World) -> None:
    threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        DuckDBWarehouse().query(ENDLESS)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("interval 1 day as d", "column d of type INTERVAL"),
        ("[1::hugeint] as d", "column d of type HUGEINT"),
        ("10::hugeint * 9223372036854775807 as d", "out of range"),
    ],
)
def test_types_that_no_other_engine_has(column: str, said: str, world: World) -> None:
    with pytest.raises(WarehouseError, match=said):
        DuckDBWarehouse().ctas(f"select {column}")


def test_of_a_store_in_s3_only_what_is_used_is_read(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_STORE", f"s3://{request.getfixturevalue('bucket')}/some/prefix")
    world, whole = World(), pl.int_range(200_000, eager=True)
    version = world.write("flights/wide", pl.DataFrame({f"c{n}": whole.hash(n) for n in range(4)}))
    take(("run", "step"))
    found = DuckDBWarehouse().ctas("select c1 from flights.wide where c1 % 2 = $it", {"it": 0})
    (asked,) = take(("run", "step"))
    assert version.bytes / 5 < asked.cost.bytes_scanned < version.bytes / 3
    assert world.write("flights/even", found).rows == found.rows > 0


def test_equal_results_are_equal_files(world: World) -> None:
    sql = "select month, sum(delay) as delay from flights.days group by month order by month"
    one, two = (world.write("flights/sums", DuckDBWarehouse().ctas(sql)) for _ in range(2))
    assert one.data_version == two.data_version
