"""Reading a gigabyte whose files are not cached by the platform, against raw Parquet and all who keep versions."""

import os
from typing import Any

import polars as pl
import pyarrow as pa

from benchmarks.interleave import Comparison, Contender, interleaved
from benchmarks.peers import versioned_peers
from benchmarks.tables import Ours, mixed_table, raw_polars, raw_pyarrow, workplace
from platform_core.store.local import LocalStore


def main() -> Comparison:
    os.environ["HEADRACE_CACHE"] = "off"
    try:
        return _measure()
    finally:
        del os.environ["HEADRACE_CACHE"]


def _measure() -> Comparison:
    with workplace() as folder:
        table = mixed_table()
        frame = pl.DataFrame(pl.from_arrow(table))
        arrow, polars, pyarrow = Ours(folder / "arrow"), Ours(folder / "polars"), raw_pyarrow(folder, table)
        peers = [pyarrow, raw_polars(folder, frame), *versioned_peers(folder, table)]
        arrow.write(table)
        polars.write(frame)
        for peer in peers:
            peer.write()
        del table, frame
        contenders = [
            Contender("headrace, pyarrow.Table", lambda: _read_first(arrow, pa.Table)),
            Contender("headrace, pyarrow.Table, proven before", lambda: arrow.read(pa.Table)),
            Contender("headrace, polars.DataFrame", lambda: _read_first(polars, pl.DataFrame)),
            *(Contender(peer.name, peer.read) for peer in peers),
        ]
        samples = interleaved(contenders)
    return Comparison(
        claim="A first read, its checksums included, takes at most 1.11 times pyarrow's read_table (0.9 of its speed)",
        subject="headrace, pyarrow.Table",
        reference=pyarrow.name,
        target=1 / 0.9,
        samples=samples,
    )


def _read_first(ours: Ours, kind: Any) -> None:
    """As in a new process, which has to look at every byte once."""
    ours.store = LocalStore(ours.store.root)
    ours.read(kind)
