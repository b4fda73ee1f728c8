"""The same hundred steps against Metaflow's local foreach."""

from benchmarks.bench_steps import OURS, metaflow, quick
from benchmarks.interleave import Comparison, interleaved


def main() -> Comparison:
    return Comparison(
        claim="A hundred trivial steps take at most a third of Metaflow's local foreach",
        subject=OURS,
        reference="metaflow",
        target=1 / 3,
        samples=interleaved([*quick(), metaflow()]),
    )
