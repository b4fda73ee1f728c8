"""What was known at the moment of each row: ten million rows, a million updates, against the usual engines.

Every contender returns all rows with the columns that were found; ours alone also keeps the order of the rows.
"""

import os
from datetime import timedelta

import duckdb
import numpy as np
import pandas as pd
import polars as pl

from benchmarks.interleave import Comparison, Contender, interleaved
from platform_core.checks.point_in_time import point_in_time_join

ROWS = int(os.environ.get("HEADRACE_BENCH_ROWS", "10000000"))
KEYS, SECONDS = 1_000, 10**6
OURS, POLARS, DUCKDB, PANDAS = "point_in_time_join", "polars join_asof", "DuckDB ASOF JOIN", "pandas merge_asof"


def table(rows: int, seed: int, moment: str, *columns: str) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    moments = pl.Series(random.integers(0, SECONDS * 10**6, rows)).cast(pl.Datetime("us"))
    numbers = {name: random.random(rows) for name in columns}
    return pl.DataFrame({"key": random.integers(0, KEYS, rows), moment: moments, **numbers})


def main() -> Comparison:
    rows, known = table(ROWS, 1, "at", "a", "b"), table(ROWS // 10, 2, "known_at", "x", "y")
    rows_of_pandas, known_of_pandas = rows.to_pandas(), known.to_pandas()
    age = timedelta(seconds=SECONDS)

    def ours() -> object:
        return point_in_time_join(rows, known, on="at", known_at="known_at", by="key", max_age=age)

    def polars() -> object:
        return rows.sort("at").join_asof(
            known.sort("known_at"), left_on="at", right_on="known_at", by="key", check_sortedness=False
        )

    def in_duckdb() -> object:
        with duckdb.connect() as connection:
            connection.register("l", rows.to_arrow())
            connection.register("r", known.to_arrow())
            query = "SELECT l.*, r.x, r.y FROM l ASOF LEFT JOIN r ON l.key = r.key AND l.at >= r.known_at"
            return connection.sql(query).to_arrow_table()

    def pandas() -> object:
        return pd.merge_asof(
            rows_of_pandas.sort_values("at"), known_of_pandas.sort_values("known_at"),
            left_on="at", right_on="known_at", by="key",
        )  # fmt: skip

    peers = {POLARS: polars, DUCKDB: in_duckdb, PANDAS: pandas}
    contenders = [Contender(OURS, ours), *(Contender(name, run) for name, run in peers.items())]
    samples = interleaved(contenders, rounds=3)
    quickest = min(peers, key=lambda name: min(sample.wall for sample in samples[name]))
    return Comparison(
        claim=f"An as-of join of {ROWS:,} rows takes at most 1.1 times the quickest of polars, DuckDB and pandas",
        subject=OURS,
        reference=quickest,
        target=1.1,
        samples=samples,
    )
