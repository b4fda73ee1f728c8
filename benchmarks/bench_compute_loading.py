"""What `Compute` on each of a thousand assets adds to loading them."""

import sys

from benchmarks.interleave import Comparison, command, interleaved

OURS, PEER = "with Compute", "without"


def main() -> Comparison:
    contenders = [
        command(OURS, sys.executable, "-m", "benchmarks.loading", "with"),
        command(PEER, sys.executable, "-m", "benchmarks.loading", "without"),
    ]
    return Comparison(
        claim="Compute on 1,000 assets adds at most 5 % to loading",
        subject=OURS,
        reference=PEER,
        target=1.05,
        samples=interleaved(contenders, rounds=9),
    )
