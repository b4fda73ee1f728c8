"""What the event of a materialization tells in the UI."""

from typing import Any

import dagster as dg
import polars as pl
import pytest

from platform_core.catalog.values import COST, SECONDS, Column, InputVersion, Version
from platform_core.errors import UnsupportedValueError
from platform_core.event_metadata import (
    LONGEST_TEXT,
    MOST_LINES,
    column_schema,
    common_data_version,
    head,
    plain_metadata,
    version_metadata,
)
from platform_core.store.local import LocalStore
from platform_core.store.values import Target, write_version
from tests.platform_core.drafts import TESS, draft

FRAME = pl.DataFrame({"number": range(9), "text": ["x" * 30] * 9})


def test_of_several_partitions_each_is_told_with_its_own_version_and_rows(store: LocalStore) -> None:
    versions = [write_version(store, FRAME.head(rows), Target(TESS, "a", f"p{rows}")) for rows in (2, 3)]
    told = version_metadata(store, versions, [])
    lines = told["headrace/versions"].value.splitlines()
    assert lines[2:] == [f"| p{v.rows} | `{v.id}` | {v.rows} | {v.bytes} |" for v in versions]
    assert not {"dagster/row_count", "dagster/uri", "headrace/version", "headrace/inputs"} & set(told)


def test_what_computing_took_is_told_of_all_partitions_together(store: LocalStore) -> None:
    def written(**metadata: float) -> list[Version]:
        return [write_version(store, [1], Target(TESS, "a", str(n), metadata)) for n in range(2)]

    told = version_metadata(store, written(**{SECONDS: 1.5, COST: 0.25}), [])
    assert (told[SECONDS], told[COST]) == (3.0, 0.5)
    assert COST not in version_metadata(store, written(**{SECONDS: 1.5}), [])


def test_long_lists_are_cut(store: LocalStore) -> None:
    read = [InputVersion("a", "t/a", str(number), "v", "production") for number in range(MOST_LINES + 7)]
    versions = [write_version(store, [1], Target(TESS, "a", str(number))) for number in range(MOST_LINES + 2)]
    told = version_metadata(store, versions, read)
    assert told["headrace/versions"].value.count("\n| ") == MOST_LINES + 1
    assert told["headrace/versions"].value.endswith("… and 2 more")
    assert told["headrace/inputs"].value.endswith("… and 7 more")


def test_the_head_is_a_markdown_table_with_whole_texts(store: LocalStore) -> None:
    lines = head(store, write_version(store, FRAME, Target(TESS, "a"))).splitlines()
    assert len(lines) == 2 + 5
    assert lines[0].split() == ["|", "number", "|", "text", "|"]
    assert "x" * 30 in lines[2]


def test_the_head_of_an_empty_table_has_its_columns(store: LocalStore) -> None:
    assert "number" in head(store, write_version(store, FRAME.clear(), Target(TESS, "a")))


def test_a_table_that_polars_cannot_show_is_refused_by_name(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(*_: object) -> None:
        raise pl.exceptions.ComputeError("an odd type")

    version = write_version(store, FRAME, Target(TESS, "t/twins"))
    monkeypatch.setattr("platform_core.event_metadata.read_versions", unreadable)
    with pytest.raises(UnsupportedValueError, match=r"^The table of t/twins cannot be read back \(an odd type\)"):
        head(store, version)


def test_columns_keep_their_order_and_types() -> None:
    schema = column_schema([Column("b", "int64"), Column("a", "double")])
    assert [(column.name, column.type) for column in schema.columns] == [("b", "int64"), ("a", "double")]


def test_the_data_version_of_one_version_is_its_own() -> None:
    assert common_data_version([draft("a", data_version="x")]) == "x"


def test_the_data_version_of_several_changes_with_each() -> None:
    def common(*parts: str) -> str:
        return common_data_version([draft("a", part, data_version=part) for part in parts])

    assert common("x", "y") == common("x", "y")
    assert len({common("x", "y"), common("x", "z"), common("x", "y", "z")}) == 3


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (1, True),
        (0.5, True),
        (True, True),
        ("text", True),
        ("x" * (LONGEST_TEXT + 1), False),
        (dg.MetadataValue.float(0.5), True),
        (dg.MetadataValue.md("# A title"), True),
        (dg.MetadataValue.json({"a": 1}), False),
        (dg.TableSchema([]), False),
        (None, False),
    ],
)
def test_numbers_and_short_texts_are_kept(value: Any, kept: bool) -> None:
    assert plain_metadata({"it": value}) == ({"it": getattr(value, "value", value)} if kept else {})
