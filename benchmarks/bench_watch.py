"""`headrace watch` of a feature of 100,000 rows: from a save to its result in the terminal."""

import importlib.util
import subprocess
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

from benchmarks.bench_catalog import Limited
from benchmarks.interleave import BenchmarkError, Comparison, Contender, interleaved
from benchmarks.small_location import ASSETS, commands_in
from tests.end_to_end.conftest import REPOSITORY

OURS, PEER = "headrace watch", "reload and call by hand"
ROWS, SECONDS = 100_000, 0.3
FEATURE = """
@fact
def many() -> pl.DataFrame:
    return pl.select(number=pl.int_range({rows}), weight=pl.int_range({rows}) / 7)


@feature
def weighed(many: pl.DataFrame) -> pl.DataFrame:
    return many.with_columns(product=pl.col("number") * pl.col("weight") + {constant})
"""
BY_HAND = """
import polars as pl


def weighed(many):
    return many.with_columns(product=pl.col("number") * pl.col("weight") + {constant})
"""


def main() -> Comparison:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        headrace, repository = commands_in(home, "numbers")
        assets = repository / ASSETS
        text = assets.read_text()
        assets.write_text(text + FEATURE.format(rows=ROWS, constant=0))
        done = headrace("run", "many", cwd=repository)
        if done.returncode:
            raise BenchmarkError(done.stdout)
        watch = subprocess.Popen(
            [REPOSITORY / ".venv/bin/headrace", "watch", "weighed"],
            cwd=repository, env=headrace.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        try:
            _shown(watch)
            constants = count(1)

            def ours() -> None:
                assets.write_text(text + FEATURE.format(rows=ROWS, constant=next(constants)))
                _shown(watch)

            samples = interleaved([Contender(OURS, ours), Contender(PEER, _by_hand(home))], 9)
        finally:
            watch.terminate()
            watch.wait()
    return Limited(
        claim=f"A feature of {ROWS:,} rows is shown within {SECONDS} s of a save",
        subject=OURS,
        reference=PEER,
        target=float("inf"),
        samples=samples,
        limits={OURS: SECONDS},
    )


def _shown(watch: "subprocess.Popen[str]") -> None:
    """Waits until a result was told to its end, which is what it cost."""
    assert watch.stdout is not None
    for line in watch.stdout:
        if "✗" in line:
            raise BenchmarkError(line)
        if line.strip().startswith("read many") or "result " in line:
            return
    raise BenchmarkError("`headrace watch` ended.")


def _by_hand(folder: Path) -> Callable[[], None]:
    """The least that anybody could do: load the module anew, and call its function on what is in memory."""
    import polars as pl

    many = pl.select(number=pl.int_range(ROWS), weight=pl.int_range(ROWS) / 7)
    path, constants = folder / "by_hand.py", count(1)

    def run() -> None:
        path.write_text(BY_HAND.format(constant=next(constants)))
        spec = importlib.util.spec_from_file_location("by_hand", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.weighed(many).describe()

    return run
