"""Two columns out of thirty, against the whole table."""

import os

import polars as pl
import pyarrow as pa

from benchmarks.interleave import Comparison, Contender, interleaved
from benchmarks.tables import Ours, mixed_table, workplace

SUBJECT, REFERENCE = "2 of 30 columns", "30 of 30 columns"


def main() -> Comparison:
    os.environ["HEADRACE_CACHE"] = "off"
    try:
        with workplace() as folder:
            ours = Ours(folder)
            ours.write(mixed_table())
            contenders = [
                Contender(SUBJECT, lambda: ours.read(pl.LazyFrame).select("key1", "real2").collect()),
                Contender(REFERENCE, lambda: ours.read(pl.LazyFrame).collect()),
                Contender("30 of 30 columns, pyarrow.Table", lambda: ours.read(pa.Table)),
            ]
            samples = interleaved(contenders)
    finally:
        del os.environ["HEADRACE_CACHE"]
    return Comparison(
        claim="Two columns out of thirty take at most 0.15 of the time of the whole table",
        subject=SUBJECT,
        reference=REFERENCE,
        target=0.15,
        samples=samples,
    )
