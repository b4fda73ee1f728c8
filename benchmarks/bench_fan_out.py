"""A thousand partitions of one step, each in a process of its own, against a thousand steps in one process."""

from benchmarks.bench_steps import OURS, steps
from benchmarks.interleave import Comparison, interleaved

PARTITIONS = 1000
PEER = "dagster, in one process"


def main() -> Comparison:
    contenders = [steps(OURS, "fan_out", PARTITIONS), steps(PEER, "in_process", PARTITIONS)]
    return Comparison(
        claim="A thousand partitions side by side take at most twice as long as a thousand steps in one process",
        subject=OURS,
        reference=PEER,
        target=2,
        samples=interleaved(contenders, rounds=3, warm_up=False),
    )
