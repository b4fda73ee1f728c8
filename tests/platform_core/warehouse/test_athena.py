"""What AWS is told, word by word."""

import re
import time
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from platform_core.errors import SettingsError, WarehouseError
from platform_core.store.s3 import S3Store
from platform_core.warehouse import athena
from platform_core.warehouse.translation import literals
from resources.warehouse import AthenaWarehouse, warehouse_here
from tests.platform_core.drafts import TESS
from tests.platform_core.warehouse.athena_double import Double
from tests.platform_core.warehouse.conftest import World


@pytest.fixture
def aws(double: Double, world: World) -> Double:
    return double


def glue() -> Any:
    import boto3

    return boto3.client("glue")


def test_one_unload_below_the_namespaces_own_prefix(aws: Double, world: World) -> None:
    sql = "select d.day from flights.days as d where d.delay > $least and d.origin = 'a?b'"
    warehouse_here().query(sql, {"least": 3})
    assert isinstance(world.store, S3Store)
    statement = aws.statements[0]
    wanted = (
        r"UNLOAD \(SELECT d\.day FROM \(SELECT \"month\", \"day\", \"origin\", \"delay\" FROM"
        rf" \"{aws.database}\"\.\"flights_days__[0-9a-f]{{16}}\"\) AS \"d\""
        r" WHERE d\.delay > \? AND d\.origin = 'a\?b'\)"
        rf" TO '{re.escape(world.store.uri('user/tess/unloaded'))}/\d{{8}}-\d{{6}}-[0-9a-f]{{12}}/files/'"
        r" WITH \(format = 'PARQUET', compression = 'SNAPPY'\)"
    )
    assert re.fullmatch(wanted, statement), statement
    assert aws.parameters[0] == ["3"]


def test_values_are_literals() -> None:
    values = [None, True, 3, 0.1, Decimal("1.20"), datetime(2013, 1, 2, 3, 4, 5), date(2013, 1, 2), "it's; drop"]
    assert literals(values) == [
        "NULL", "TRUE", "3", "DOUBLE '0.1'", "DECIMAL '1.20'", "TIMESTAMP '2013-01-02 03:04:05.000000'",
        "DATE '2013-01-02'", "'it''s; drop'",
    ]  # fmt: skip
    with pytest.raises(WarehouseError, match="type list"):
        literals([[1]])


def test_a_table_in_glue_for_what_is_shown(aws: Double, world: World) -> None:
    warehouse_here().query("select day from flights.days")
    (table,) = glue().get_tables(DatabaseName=aws.database)["TableList"]
    assert [(c["Name"], c["Type"]) for c in table["StorageDescriptor"]["Columns"]] == [
        ("month", "string"), ("day", "bigint"), ("origin", "string"), ("delay", "bigint"),
    ]  # fmt: skip
    assert table["PartitionKeys"] == [{"Name": "headrace_version", "Type": "string"}]
    assert table["Parameters"]["headrace.asset"] == "flights/days"
    parts = glue().get_partitions(DatabaseName=aws.database, TableName=table["Name"])["Partitions"]
    versions = [item.version for item in world.catalog.resolve(TESS, "flights/days").values()]
    wanted = {(v.id, world.store.uri(v.files[0].key).rpartition("/")[0] + "/") for v in versions}
    assert {(part["Values"][0], part["StorageDescriptor"]["Location"]) for part in parts} == wanted


def test_the_same_versions_are_the_same_table(aws: Double, world: World) -> None:
    for _ in range(2):
        warehouse_here().query("select miles from flights.routes")
    assert len(glue().get_tables(DatabaseName=aws.database)["TableList"]) == 1


def test_a_query_that_takes_too_long_is_stopped(aws: Double) -> None:
    aws.endless = True
    with pytest.raises(WarehouseError, match=r"test_athena.py:\d+: the query was stopped after 0.3 s: select miles"):
        warehouse_here().query("select miles from flights.routes", timeout=0.3)
    assert len(aws.stopped) == 1


def test_a_run_that_is_cancelled_stops_its_query(aws: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.endless = True

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        warehouse_here().ctas("select miles from flights.routes")
    assert len(aws.stopped) == 1


def test_what_athena_says_is_said_without_a_place_that_nobody_wrote(aws: Double) -> None:
    with pytest.raises(WarehouseError) as caught:
        warehouse_here().query("select nope from flights.routes")
    assert re.fullmatch(r"\S+test_athena.py:\d+: [^\n]*nope[^\n]*", str(caught.value))
    assert "line 1:8" not in str(caught.value)


def test_aws_that_refuses_is_said(aws: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import ClientError

    def refuse(*_: object, **__: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "StartQueryExecution")

    monkeypatch.setattr(athena.AthenaEngine, "_start", refuse)
    with pytest.raises(WarehouseError, match=r"AWS refused: no \(AccessDenied\)"):
        warehouse_here().query("select miles from flights.routes")


def test_nothing_is_left_in_the_bucket(aws: Double, world: World) -> None:
    warehouse_here().query("select miles from flights.routes")
    assert [key for key, _ in world.store.version_folders() if "unloaded" in key] == []


def test_athena_needs_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_WAREHOUSE", "athena")
    with pytest.raises(SettingsError, match="HEADRACE_STORE=s3://"):
        warehouse_here()


def test_settings_reach_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"WAREHOUSE": "athena", "STORE": "s3://b/p", "ATHENA_WORKGROUP": "w", "ATHENA_DATABASE": "d"}
    for name, value in given.items():
        monkeypatch.setenv(f"HEADRACE_{name}", value)
    made = warehouse_here()
    assert isinstance(made, AthenaWarehouse)
    assert (made.workgroup, made.database) == ("w", "d")


def test_an_engine_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_WAREHOUSE", "oracle")
    with pytest.raises(SettingsError, match="HEADRACE_WAREHOUSE cannot be used"):
        warehouse_here()
