"""What resolving and reading ten rows costs beyond a raw read of a Parquet file."""

import polars as pl

from benchmarks.interleave import Comparison, Contender, interleaved
from benchmarks.tables import SMALL, Ours, raw_pyarrow, times, with_allowance, workplace

TURNS, ALLOWED = 20, 0.005  # seconds per turn beyond the raw one
SUBJECT, REFERENCE = "headrace, 20 reads", "20 raw reads and 5 ms each"


def main() -> Comparison:
    with workplace() as folder:
        ours, raw = Ours(folder), raw_pyarrow(folder, SMALL.to_arrow())
        ours.write(SMALL)
        raw.write()
        contenders = [
            Contender(SUBJECT, times(TURNS, lambda: ours.read(pl.DataFrame))),
            Contender(REFERENCE, with_allowance(TURNS, raw.read, ALLOWED)),
            Contender("20 raw reads", times(TURNS, raw.read)),
        ]
        samples = interleaved(contenders, rounds=9)
    return Comparison(
        claim="Ten rows cost at most 5 ms more to resolve and read than a raw Parquet file",
        subject=SUBJECT,
        reference=REFERENCE,
        target=1.0,
        samples=samples,
    )
