"""One asset in the four stages of docs/scaling.md, each a run whose consumer makes the same of it."""

import re
import subprocess
import sys

from benchmarks.interleave import BenchmarkError, Comparison, Contender, Sample, interleaved
from benchmarks.scaled import STAGES


def main() -> Comparison:
    told: dict[str, list[tuple[float, str]]] = {name: [] for name in STAGES}
    contenders = [Contender(name, lambda name=name: told[name].append(_computed(name))) for name in STAGES]  # type: ignore[misc]
    wall = interleaved(contenders, rounds=3, warm_up=False)
    if len({alarms for answers in told.values() for _, alarms in answers}) > 1:
        raise BenchmarkError("The stages do not compute the same.")
    # The seconds of the run of the asset alone, which each process tells; processor time is that of all its work.
    samples = {
        name: [Sample(seconds, whole.cpu) for (seconds, _), whole in zip(told[name], wall[name], strict=True)]
        for name in STAGES
    }
    return Comparison(
        claim="Optimised code takes less than half of the simple version, whose consumer notices nothing",
        subject="optimised",
        reference="simple",
        target=0.5,
        samples=samples,
    )


def _computed(stage: str) -> tuple[float, str]:
    """The seconds of the run that computes the asset, and what its consumer made of it."""
    command = [sys.executable, "-m", "benchmarks.scaled", stage]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"^([\d.]+) s, alarms: (.*)$", done.stdout, re.MULTILINE)
    if found is None:
        raise BenchmarkError(f"{stage} failed: {(done.stderr or done.stdout).strip().rpartition(chr(10))[2]}")
    return float(found[1]), found[2]
