"""Comparing ten columns of a stored table with a reference, against only reading them."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from benchmarks.interleave import BenchmarkError, Comparison, Contender, interleaved
from platform_core.checks.distributions import compare_columns

ROWS = int(os.environ.get("HEADRACE_BENCH_ROWS", "10000000"))
DRIFT, READING = "drift of 10 columns", "reading 10 columns"


def write(path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    numbers = {f"x{number}": random.normal(0, 1, ROWS) for number in range(8)}
    side = pl.Series(["left", "right", "top"]).gather(random.integers(0, 3, ROWS))
    pl.DataFrame({**numbers, "side": side, "whole": random.integers(0, 50, ROWS)}).write_parquet(
        path, compression="lz4"
    )


def main() -> Comparison:
    with TemporaryDirectory() as folder:
        before, after = Path(folder) / "before.parquet", Path(folder) / "after.parquet"
        write(before, 1)
        write(after, 2)
        columns = pl.scan_parquet(after).collect_schema().names()

        def drift() -> None:
            shifts = compare_columns(pl.scan_parquet(before), pl.scan_parquet(after), columns)
            if any(shift.has_shifted() for shift in shifts) or len(shifts) != len(columns):
                raise BenchmarkError("Columns of one distribution were told to have shifted.")

        def reading() -> None:  # both sides, as drift has to
            pl.scan_parquet(before).select(columns).collect()
            pl.scan_parquet(after).select(columns).collect()

        samples = interleaved([Contender(DRIFT, drift), Contender(READING, reading)], rounds=3)
    return Comparison(
        claim=f"Drift of {ROWS:,} rows takes less than 2 times reading the columns",
        subject=DRIFT,
        reference=READING,
        target=2.0,
        samples=samples,
    )
