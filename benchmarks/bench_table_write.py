"""Writing and committing a gigabyte, against raw Parquet at the same codec and everybody who keeps versions."""

import polars as pl

from benchmarks.interleave import Comparison, Contender, interleaved
from benchmarks.tables import Ours, mixed_table, raw_polars, raw_pyarrow, versioned_peers, workplace


def main() -> Comparison:
    with workplace() as folder:
        table = mixed_table()
        frame = pl.DataFrame(pl.from_arrow(table))
        ours, pyarrow, polars = Ours(folder), raw_pyarrow(folder, table), raw_polars(folder, frame)
        contenders = [
            Contender("headrace, pyarrow.Table", lambda: ours.replace(table)),
            Contender("headrace, polars.DataFrame", lambda: ours.replace(frame)),
            Contender("headrace, a stream", lambda: ours.replace(table.to_reader(max_chunksize=64 * 1024))),
            *(Contender(peer.name, peer.write) for peer in (pyarrow, polars, *versioned_peers(folder, table))),
        ]
        samples = interleaved(contenders)
    return Comparison(
        claim=f"Writing {table.nbytes / 1e9:.2f} GB durably and committing it is as quick as pyarrow's write_table",
        subject="headrace, pyarrow.Table",
        reference=pyarrow.name,
        target=1.0,
        samples=samples,
    )
