"""A hundred steps that do nothing, each in a process of its own, against Dagster's multiprocess executor."""

import sys
import tempfile

from benchmarks.interleave import Comparison, Contender, command, interleaved

OURS, PEER = "headrace", "dagster, multiprocess"
ROUNDS = 3  # of some minutes each


def main() -> Comparison:
    return Comparison(
        claim="A hundred trivial steps, each in its own process, take at most 1/25 of Dagster's multiprocess executor",
        subject=OURS,
        reference=PEER,
        target=1 / 25,
        samples=interleaved([*quick(), steps(PEER, "multiprocess")], ROUNDS, warm_up=False),
    )


def quick() -> list[Contender]:
    """The contenders that take seconds."""
    return [steps(OURS, "routed"), steps("dagster, in one process", "in_process")]


def steps(name: str, job: str, number: int = 100) -> Contender:
    count = {"HEADRACE_BENCH_STEPS": str(number)}
    return command(name, sys.executable, "-m", "benchmarks.trivial_steps", job, env=count)


def metaflow() -> Contender:
    home = {"METAFLOW_DATASTORE_SYSROOT_LOCAL": tempfile.gettempdir(), "METAFLOW_USER": "bench"}
    # As many at once as Metaflow allows by itself; more foreach tasks than it allows have to be asked for.
    arguments = ("run", "--max-num-splits", "10000")
    return command("metaflow", sys.executable, "benchmarks/foreach_flow.py", "--quiet", *arguments, env=home)
