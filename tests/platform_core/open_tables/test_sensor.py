"""Publishing happens by itself, and what fails is tried again and told, but never fails what it was for."""

import logging

import dagster as dg
import pytest

from platform_core.errors import OpenTableError
from platform_core.open_tables.catalogs import open_iceberg
from platform_core.open_tables.sensor import open_tables_sensor
from platform_core.runner.promotion import show_to_others
from platform_core.settings import Settings, current_settings
from tests.platform_core.open_tables.conftest import Write, month

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


def look(cursor: str | None) -> tuple[str, str | None]:
    with dg.build_sensor_context(cursor=cursor) as context:
        said = open_tables_sensor("shop")(context)
        return str(said.skip_message), context.cursor  # type: ignore[union-attr]


def test_each_look_publishes_what_changed_since_the_last(write: Write) -> None:
    first = write(month("a", 1.0), "a").transaction
    write(month("a", 1.0), "a", asset="other/orders")
    said, cursor = look(None)
    assert said == f"1 tables were brought to transaction {first + 1}."
    assert open_iceberg(current_settings()).list_tables("shop") == [("shop", "orders")]
    assert look(cursor) == (f"0 tables were brought to transaction {first + 1}.", cursor)


def test_what_failed_is_an_error_of_the_sensor_and_done_with_the_next_look(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = write(month("a", 1.0), "a").transaction
    good = current_settings().open_tables
    monkeypatch.setenv("HEADRACE_OPEN_TABLES", NOWHERE)
    with pytest.raises(OpenTableError, match="The catalog of open tables cannot be used"):
        look(None)
    monkeypatch.setenv("HEADRACE_OPEN_TABLES", good)
    assert look(None) == (f"1 tables were brought to transaction {number}.", str(number))


def test_a_failed_publication_fails_no_promotion(
    write: Write, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write(month("a", 1.0), "a")
    monkeypatch.setenv("HEADRACE_OPEN_TABLES", NOWHERE)
    with caplog.at_level(logging.WARNING):
        show_to_others(["shop/orders"])
    assert "It is tried again once a minute." in caplog.text


def test_a_promotion_is_shown_at_once(write: Write) -> None:
    write(month("a", 1.0), "a")
    show_to_others(["shop/orders"])
    assert open_iceberg(current_settings()).load_table("shop.orders").scan().count() == 1


def test_other_namespaces_publish_nothing(open_tables: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_NAMESPACE", "user/tess")
    assert look(None)[0] == "Only production's tables are open."
