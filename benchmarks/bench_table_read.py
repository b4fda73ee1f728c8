"""Reading a gigabyte whose files are not cached by the platform, against raw Parquet and all who keep versions."""

import os

import polars as pl
import pyarrow as pa

from benchmarks.interleave import Comparison, Contender, interleaved
from benchmarks.tables import Ours, mixed_table, raw_polars, raw_pyarrow, versioned_peers, workplace
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
        ours, pyarrow = Ours(folder), raw_pyarrow(folder, table)
        peers = [pyarrow, raw_polars(folder, pl.DataFrame(pl.from_arrow(table))), *versioned_peers(folder, table)]
        ours.write(table)
        for peer in peers:
            peer.write()
        del table

        def unproven() -> None:
            ours.store = LocalStore(ours.store.root)  # as in a new process, which has to look at every byte once
            ours.read(pa.Table)

        contenders = [
            Contender("headrace, pyarrow.Table", unproven),
            Contender("headrace, pyarrow.Table, proven before", lambda: ours.read(pa.Table)),
            Contender("headrace, polars.DataFrame", lambda: ours.read(pl.DataFrame)),
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
