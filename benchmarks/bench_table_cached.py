"""Reading a gigabyte again and using it, against a raw memory map of an Arrow IPC file."""

import threading
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.interleave import Comparison, Contender, interleaved
from benchmarks.tables import Ours, mixed_table, times, workplace

TURNS = 20  # of what takes milliseconds; one alone says little
SUBJECT, REFERENCE = "headrace, pyarrow.Table, sums of its numbers", "raw map, sums of its numbers"


def main() -> Comparison:
    with workplace() as folder:
        ours, raw = Ours(folder), folder / "raw.arrow"
        _prepare(ours, raw)
        contenders = [
            Contender(SUBJECT, lambda: _use(ours.read(pa.Table))),
            Contender(REFERENCE, lambda: _use(_mapped(raw))),
            Contender("headrace, only mapped, 20 pyarrow.Table", times(TURNS, lambda: ours.read(pa.Table))),
            Contender("headrace, only mapped, 20 polars.DataFrame", times(TURNS, lambda: ours.read(pl.DataFrame))),
            Contender("raw, only mapped, 20 times", times(TURNS, lambda: _mapped(raw))),
        ]
        samples = interleaved(contenders, rounds=7)
    return Comparison(
        claim="A second read and the sums of all numbers take at most 1.25 times a raw map (0.8 of its speed)",
        subject=SUBJECT,
        reference=REFERENCE,
        target=1 / 0.8,
        samples=samples,
    )


def _prepare(ours: Ours, raw: Path) -> None:
    ours.write(mixed_table())
    table = ours.read(pa.Table)
    ours.read(pl.DataFrame)
    with pa.OSFile(str(raw), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    for thread in threading.enumerate():
        if thread.name == "headrace-cache":
            thread.join()


def _use(table: pa.Table) -> None:
    """A map that nobody looks at is no read."""
    for column in table.columns:
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            pc.sum(column)


def _mapped(path: Path) -> Any:
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()
