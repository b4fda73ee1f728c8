"""`python -m tests.faults --rounds 20 --seed 7`: prints each round, and ends with 1 when one went wrong."""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from platform_core.settings import as_if_in
from tests.faults.production import LEASE, production
from tests.faults.rounds import TAKEOVER, Round, opened, play, wait_until_it_serves

MOST = 12  # problems of a round that are shown


def main() -> int:
    asked = _parser().parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(2**32)
    print(f"seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="headrace-faults-"))
    with production(folder, asked.lease) as one, as_if_in(dict(one.variables)):
        world = opened(one, seed)
        wait_until_it_serves(world)
        rounds = []
        for number in range(asked.rounds):
            rounds.append(play(world, number, minutes=asked.minutes, every=asked.every))
            print(line(rounds[-1]), flush=True)
        world.close()
    bad = [one for one in rounds if one.problems or max(one.takeovers, default=0) > TAKEOVER]
    print(f"{len(rounds) - len(bad)} of {len(rounds)} rounds held, seed {seed}; logs are in {folder}")
    return 1 if bad else 0


def line(one: Round) -> str:
    taken = ", ".join(f"{seconds:.1f} s" for seconds in one.takeovers) or "none"
    problems = "".join(f"\n  {problem}" for problem in one.problems[:MOST])
    if more := len(one.problems[MOST:]):
        problems += f"\n  and {more} more"
    return f"round {one.number}: {', '.join(one.done)}; takeovers: {taken}; quiet after {one.seconds:.0f} s{problems}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, help="the same faults in the same order; by default a new one")
    parser.add_argument("--minutes", type=int, default=8, help="of an hour, of which each is a run of each location")
    parser.add_argument("--every", type=float, default=6.0, help="seconds that such a minute takes")
    parser.add_argument("--lease", type=int, default=LEASE, help="seconds after which a silent daemon leads no more")
    return parser


if __name__ == "__main__":
    sys.exit(main())
