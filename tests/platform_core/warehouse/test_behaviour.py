"""What every warehouse does, whichever engine is behind it."""

import json
from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pytest

from platform_core.errors import WarehouseError
from platform_core.namespaces import PRODUCTION
from platform_core.warehouse.ledger import take
from resources.warehouse import Warehouse
from tests.platform_core.drafts import TESS
from tests.platform_core.warehouse.conftest import World, month

STEP = ("run", "step")


def rows(table: pa.Table) -> list[dict[str, object]]:
    return sorted(table.to_pylist(), key=lambda row: json.dumps(row, default=str))


def refusal(warehouse: Warehouse, sql: str, *given: object, **more: object) -> str:
    with pytest.raises(WarehouseError) as caught:
        warehouse.query(sql, *given, **more)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_namespace_shows_its_own_versions_and_those_of_its_parent(warehouse: Warehouse) -> None:
    found = warehouse.query("select month, sum(delay) as delay from flights.days group by month")
    assert rows(found) == [{"month": "2013-01", "delay": 35}, {"month": "2013-02", "delay": 300}]


def test_production_moves_on_and_the_pin_does_not(warehouse: Warehouse, world: World) -> None:
    world.write("flights/routes", pl.DataFrame({"origin": ["LAX"], "miles": [1], "open": [True]}), namespace=PRODUCTION)
    assert warehouse.query("select count(*) as n from flights.routes").to_pylist() == [{"n": 3}]


@pytest.mark.parametrize("name", ["flights.days", '"flights/days"', "days", "FLIGHTS.Days"])
def test_an_asset_has_a_name(name: str, warehouse: Warehouse) -> None:
    assert warehouse.query(f"select count(*) as n from {name} as d where d.day = 1").to_pylist() == [{"n": 2}]


def test_a_join_with_names_of_its_own(warehouse: Warehouse) -> None:
    sql = """
        with days as (select origin, delay from flights.days where delay is not null)
        select routes.origin, max(routes.miles) as miles, count(*) as flights
        from days join flights.routes on days.origin = routes.origin
        where routes.origin in (select origin from flights.routes where miles > 50)
        group by routes.origin
    """
    assert rows(warehouse.query(sql)) == [
        {"origin": "JFK", "miles": 100, "flights": 3},
        {"origin": "LGA", "miles": 250, "flights": 2},
    ]


def test_only_the_partitions_that_are_asked_for(warehouse: Warehouse) -> None:
    take(STEP)
    some = {"flights.days": ["2013-01"]}
    assert warehouse.query("select sum(delay) as s from flights.days", partitions=some).to_pylist() == [{"s": 35}]
    (asked,) = take(STEP)
    assert [item.partition for item in asked.inputs] == ["2013-01"]


def test_parameters_are_values_whatever_they_look_like(warehouse: Warehouse) -> None:
    nasty = "JFK' or 'a' = 'a"
    assert warehouse.query("select origin from flights.routes where origin = ?", [nasty]).num_rows == 0
    assert warehouse.query("select origin from flights.routes where origin = $it", {"it": nasty}).num_rows == 0
    kept = warehouse.query("select ? as text, ? as other from flights.routes where miles < ?", [nasty, "?", 95])
    assert kept.to_pylist() == [{"text": nasty, "other": "?"}]


def test_parameters_by_name_may_come_twice(warehouse: Warehouse) -> None:
    sql = "select origin, $low as low from flights.routes where miles > $low and origin <> $not and open is not null"
    assert warehouse.query(sql, {"not": "EWR", "low": 80}).to_pylist() == [{"origin": "JFK", "low": 80}]


def test_parameters_of_each_type(warehouse: Warehouse, world: World) -> None:
    values = {
        "flag": True,
        "whole": 7,
        "part": 0.5,
        "day": date(2013, 2, 3),
        "moment": datetime(2013, 2, 3, 4, 5, 6),
        "exact": Decimal("1.25"),
    }
    world.write("flights/types", pl.DataFrame(values))
    where = " and ".join(f'"{name}" = ${name}' for name in values)
    assert warehouse.query(f"select count(*) as n from flights.types where {where}", values).to_pylist() == [{"n": 1}]
    assert warehouse.query("select count(*) as n from flights.types where $it is null", {"it": None})[
        "n"
    ].to_pylist() == [1]


def test_types_stay_what_they_are(warehouse: Warehouse, world: World) -> None:
    frame = pl.DataFrame(
        {
            "whole": [1],
            "small": pl.Series([1], dtype=pl.Int16),
            "part": [0.5],
            "text": ["a"],
            "flag": [True],
            "day": [date(2013, 2, 3)],
            "moment": [datetime(2013, 2, 3, 4, 5, 6)],
            "exact": [Decimal("1.25")],
            "many": [[1, 2]],
            "kind": pl.Series(["a"], dtype=pl.Categorical),
        }
    )
    world.write("flights/types", frame)
    (row,) = warehouse.query("select * from flights.types").to_pylist()
    assert row == frame.to_dicts()[0]


def test_a_sum_of_integers_is_an_integer(warehouse: Warehouse) -> None:
    assert warehouse.query("select sum(miles) as s from flights.routes").schema.field("s").type == pa.int64()


def test_columns_that_came_later_are_missing_before(warehouse: Warehouse, world: World) -> None:
    world.write("flights/days", month("2013-03", gate=["A", "B", "C"]), "2013-03")
    found = warehouse.query("select month, count(gate) as gates from flights.days group by month")
    assert rows(found) == [
        {"month": "2013-01", "gates": 0},
        {"month": "2013-02", "gates": 0},
        {"month": "2013-03", "gates": 3},
    ]


def test_a_result_without_rows_has_its_columns(warehouse: Warehouse) -> None:
    found = warehouse.query("select origin, miles from flights.routes where miles < 0")
    assert (found.num_rows, found.schema.names) == (0, ["origin", "miles"])
    assert found.schema.field("miles").type == pa.int64()


def test_what_is_read_and_what_it_costs_is_noted(warehouse: Warehouse, world: World) -> None:
    take(STEP)
    warehouse.query("select sum(delay) as s from flights.days")
    (asked,) = take(STEP)
    assert asked.title == "select sum(delay) as s from flights.days"
    assert [(item.asset, item.partition, item.namespace) for item in asked.inputs] == [
        ("flights/days", "2013-01", "production"),
        ("flights/days", "2013-02", "user/tess"),
    ]
    assert {item.version for item in asked.inputs} == {
        v.version.id for v in world.catalog.resolve(TESS, "flights/days").values()
    }
    assert (asked.rows, asked.cost.bytes_scanned > 0, asked.cost.seconds > 0) == (1, True, True)
    assert take(STEP) == []


def test_fewer_columns_are_fewer_bytes(warehouse: Warehouse, world: World) -> None:
    world.write(
        "flights/wide",
        pl.DataFrame({f"c{n}": pl.int_range(20_000, eager=True).hash(n).reinterpret(signed=True) for n in range(10)}),
    )
    take(STEP)
    warehouse.query("select max(c1) as c from flights.wide")
    warehouse.query("select " + ", ".join(f"max(c{n}) as c{n}" for n in range(10)) + " from flights.wide")
    one, all_of_them = [asked.cost.bytes_scanned for asked in take(STEP)]
    assert one < all_of_them / 4


def test_ctas_gives_files_that_can_be_read_as_anything(warehouse: Warehouse) -> None:
    unloaded = warehouse.ctas("select origin, miles from flights.routes where miles > ?", [95])
    assert (unloaded.rows, [column.name for column in unloaded.schema]) == (2, ["origin", "miles"])
    wanted = [{"origin": "JFK", "miles": 100}, {"origin": "LGA", "miles": 250}]
    assert rows(unloaded.read()) == wanted
    assert unloaded.read(pl.LazyFrame).sort("origin").collect().to_dicts() == wanted
    assert rows(unloaded.read(pa.RecordBatchReader).read_all()) == wanted


def test_ctas_becomes_a_version_without_being_written_again(warehouse: Warehouse, world: World) -> None:
    unloaded = warehouse.ctas("select origin, miles from flights.routes")
    files = [path.read_bytes() for path in unloaded.files]
    version = world.write("flights/far", unloaded)
    assert (version.format, version.rows, len(version.files)) == ("parquet", 3, len(files))
    assert [path.read_bytes() for path in world.store.verified_paths(version)] == files
    assert warehouse.query("select max(miles) as m from flights.far").to_pylist() == [{"m": 250}]


def test_ctas_without_rows_becomes_a_version_too(warehouse: Warehouse, world: World) -> None:
    version = world.write("flights/none", warehouse.ctas("select origin from flights.routes where miles < 0"))
    assert (version.rows, [column.name for column in version.schema]) == (0, ["origin"])


def test_what_nobody_took_is_removed(warehouse: Warehouse) -> None:
    unloaded = warehouse.ctas("select origin from flights.routes")
    folder = unloaded.files[0].parent
    del unloaded
    assert not folder.exists()


def test_a_lazy_frame_outlives_what_it_came_from(warehouse: Warehouse) -> None:
    lazy = warehouse.ctas("select origin from flights.routes").read(pl.LazyFrame)
    assert lazy.collect().height == 3


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("selec 1", "line 1"),
        ("select *\nfrom flights.routes\nwhere (", "line 3"),
        ("select 1;\nselect 2", "a query must be one SELECT"),
        ("drop table flights.routes", "a query must be one SELECT"),
        ("create table x as select 1 as a", "a query must be one SELECT"),
        ("select *\nfrom flights.rout", "line 2 of the query: there is no table 'flights.rout' in user/tess."),
        ("select * from flights.rout", "Did you mean flights.routes"),
        ("select * from flights.model", "flights/model is no table but an object (json)"),
        ("select nope from flights.routes", "nope"),
        ("select origin, miles as ORIGIN from flights.routes", "more than one column"),
    ],
)
def test_what_cannot_be_asked_is_said_in_one_sentence(sql: str, said: str, warehouse: Warehouse) -> None:
    sentence = refusal(warehouse, sql)
    assert said in sentence
    assert sentence.startswith("tests/platform_core/warehouse/test_behaviour.py:")


def test_parameters_that_do_not_fit_are_said(warehouse: Warehouse) -> None:
    assert "parameter" in refusal(warehouse, "select origin from flights.routes where miles = ?").lower()
    assert "parameter" in refusal(warehouse, "select origin from flights.routes where miles = $m", {"k": 1}).lower()


def test_an_asset_that_was_never_computed_here(warehouse: Warehouse, world: World) -> None:
    world.write("flights/secret", month("2013-01"), namespace=type(TESS)("user", "other"))
    assert "headrace run flights/secret" in refusal(warehouse, "select * from flights.secret")


def test_two_assets_of_one_name(warehouse: Warehouse, world: World) -> None:
    world.write("airports/routes", pl.DataFrame({"a": [1]}))
    assert "airports.routes or flights.routes" in refusal(warehouse, "select * from routes")


def test_partitions_of_what_is_not_read(warehouse: Warehouse) -> None:
    assert "flights.days" in refusal(warehouse, "select origin from flights.routes", partitions={"flights.days": []})


def test_a_failed_query_leaves_nothing_and_is_not_noted(warehouse: Warehouse, world: World) -> None:
    take(STEP)
    with pytest.raises(WarehouseError):
        warehouse.ctas("select origin, cast(origin as int) as x from flights.routes")
    assert take(STEP) == []
    assert [key for key, _ in world.store.version_folders() if "/unloaded/" in key] == []
