"""A delivered file is read as it was agreed, or refused in one sentence that names it and what to do."""

import gzip
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from platform_core.errors import SourceError
from platform_core.sources import read_csv

TYPES = {"id": pl.Int64, "name": pl.String}
ROWS = "".join(f"{number},name {number * 7919 % 1000}\n" for number in range(2000))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "flights_2013-01.csv.gz"


def refusal(file: Path, types: Any = TYPES) -> str:
    with pytest.raises(SourceError) as error:
        read_csv(file, types)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)
    return str(error.value).replace(str(file), "FILE")


def deliver(file: Path, text: str) -> Path:
    file.write_bytes(gzip.compress(text.encode()))
    return file


def test_a_file_is_read_with_its_columns_in_the_agreed_order_and_types(file: Path) -> None:
    frame = read_csv(deliver(file, "name,id\nx,1\n,2\nNA,\n"), TYPES)
    assert frame.schema == TYPES
    assert frame.rows() == [(1, "x"), (2, None), (None, None)]


def test_a_file_that_is_not_compressed_is_read_too(tmp_path: Path) -> None:
    (tmp_path / "plain.csv").write_text("id,name\n1,x\n")
    assert read_csv(tmp_path / "plain.csv", TYPES).rows() == [(1, "x")]


def test_what_counts_as_missing_can_be_said(file: Path) -> None:
    assert read_csv(deliver(file, "id,name\n-,NA\n"), TYPES, null_values=("-",)).rows() == [(None, "NA")]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (pl.Int8, "-7", -7),
        (pl.Float64, "1e3", 1000.0),
        (pl.Boolean, "TRUE", True),
        (pl.Boolean, "false", False),
        (pl.Date, "2013-01-31", date(2013, 1, 31)),
        (pl.Time, "23:59:00", time(23, 59)),
        (pl.Datetime("us", "UTC"), "2013-01-01T05:00:00Z", datetime(2013, 1, 1, 5, tzinfo=UTC)),
        (pl.Datetime("us", "UTC"), "2013-01-01 05:00:00", datetime(2013, 1, 1, 5, tzinfo=UTC)),
        (pl.Datetime("ms", "UTC"), "2013-01-01T07:00:00+02:00", datetime(2013, 1, 1, 5, tzinfo=UTC)),
        (pl.Datetime("us"), "2013-01-01T05:00:00Z", datetime(2013, 1, 1, 5)),
        (pl.Datetime, "2013-01-01T05:00:00", datetime(2013, 1, 1, 5)),
        (pl.Datetime("us", "America/New_York"), "2013-01-01T05:00:00Z", datetime(2013, 1, 1, 5, tzinfo=UTC)),
        (pl.Enum(["x", "y"]), "y", "y"),
    ],
)
def test_a_cell_is_of_the_declared_type(kind: Any, text: str, value: object, file: Path) -> None:
    frame = read_csv(deliver(file, f"cell\n{text}\n"), {"cell": kind})
    assert frame["cell"].to_list() == [value]
    assert frame.schema["cell"] == kind


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (pl.Int64, "1.5"),
        (pl.Int64, "MMXIII"),
        (pl.Int8, "300"),
        (pl.Float64, "1,5"),
        (pl.Boolean, "yes"),
        (pl.Date, "2013-02-30"),
        (pl.Datetime("us", "UTC"), "noon"),
        (pl.Enum(["x"]), "z"),
    ],
)
def test_a_cell_of_another_type_is_named_with_its_line(kind: Any, text: str, file: Path) -> None:
    good = {pl.Int64: "1", pl.Int8: "1", pl.Float64: "1", pl.Boolean: "true", pl.Date: "2013-01-01"}
    first = good.get(kind, "x" if kind == pl.Enum else "2013-01-01T00:00:00Z")
    told = refusal(deliver(file, f'cell\n{first}\n"{text}"\n'), {"cell": kind})
    assert told.startswith(f"FILE: column cell should hold {kind} but line 3 has '{text}'.")
    assert "Have the file delivered again, or change the declared type" in told


def test_the_first_bad_line_is_named(file: Path) -> None:
    assert "line 4 has 'a'" in refusal(deliver(file, "id,name\n1,x\n2,x\na,x\nb,x\n"))


def test_a_missing_file_says_what_to_do(file: Path) -> None:
    assert refusal(file).startswith("FILE was not delivered. Put the file there, or run only partitions that were")


@pytest.mark.parametrize("kept", [0, 5, 12, 0.3, 0.9, -9, -8, -1])
def test_a_file_that_is_cut_off_anywhere_is_noticed(kept: float, file: Path) -> None:
    whole = deliver(file, "id,name\n" + ROWS).read_bytes()
    file.write_bytes(whole[: int(len(whole) * kept) if 0 < kept < 1 else int(kept)])
    assert refusal(file).startswith("FILE cannot be read and is probably cut off (")


def test_a_file_that_was_damaged_on_its_way_is_noticed(file: Path) -> None:
    whole = bytearray(deliver(file, "id,name\n" + ROWS).read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    file.write_bytes(whole)
    with pytest.raises(SourceError):
        read_csv(file, TYPES)


def test_a_page_that_was_delivered_instead_is_noticed(file: Path) -> None:
    file.write_bytes(b"<html>503 Service Unavailable</html>")
    assert refusal(file).startswith("FILE lacks the column id, name. It has: <html>503")


def test_a_missing_column_is_named_with_a_suggestion(file: Path) -> None:
    assert (
        refusal(deliver(file, "id,nmae\n1,x\n")) == "FILE lacks the column name. Did you mean nmae? It has: id, nmae."
    )


def test_a_column_too_many_is_named(file: Path) -> None:
    assert refusal(deliver(file, "id,name,age\n1,x,7\n")).startswith("FILE has a column that was not agreed: age.")


def test_a_row_with_a_cell_too_many_is_refused(file: Path) -> None:
    assert "found more fields than defined" in refusal(deliver(file, "id,name\n1,x,7\n"))


def test_a_file_with_nothing_but_a_header_is_refused(file: Path) -> None:
    assert refusal(deliver(file, "id,name\n")).startswith("FILE has a header but no rows.")


def test_an_empty_file_is_refused(file: Path) -> None:
    assert "cannot be read" in refusal(deliver(file, ""))


def test_a_file_in_another_encoding_is_refused(file: Path) -> None:
    file.write_bytes(gzip.compress("id,name\n1,é\n".encode("latin-1")))
    assert "invalid utf-8" in refusal(file)
