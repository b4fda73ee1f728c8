"""What writing and committing ten rows costs beyond a raw Parquet file."""

from benchmarks.interleave import Comparison, Contender, interleaved
from benchmarks.tables import SMALL, Ours, raw_pyarrow, times, with_allowance, workplace

TURNS, ALLOWED = 20, 0.015  # seconds per turn beyond the raw one
SUBJECT, REFERENCE = "headrace, 20 writes", "20 raw writes and 15 ms each"


def main() -> Comparison:
    with workplace() as folder:
        ours, raw = Ours(folder), raw_pyarrow(folder, SMALL.to_arrow())
        contenders = [
            Contender(SUBJECT, times(TURNS, lambda: ours.write(SMALL))),
            Contender(REFERENCE, with_allowance(TURNS, raw.write, ALLOWED)),
            Contender("20 raw writes", times(TURNS, raw.write)),
        ]
        samples = interleaved(contenders, rounds=9)
    return Comparison(
        claim="Ten rows cost at most 15 ms more to write durably and commit than a raw Parquet file",
        subject=SUBJECT,
        reference=REFERENCE,
        target=1.0,
        samples=samples,
    )
