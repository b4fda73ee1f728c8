"""`python -m tests.faults --rounds 20 --seed 7`: prints each round, and ends with 1 when one went wrong."""

import argparse
import random
import sys
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from platform_core.settings import as_if_in
from tests.faults.hour import FORMAT, compressed_hour, real_hour
from tests.faults.production import LEASE, production
from tests.faults.rounds import TAKEOVER, Round, opened, play, wait_until_it_serves

AS_IT_IS = 60.0  # seconds of a minute that a schedule waits for
MOST = 12  # problems of a round that are shown


def main() -> int:
    asked = _parser().parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(2**32)
    print(f"seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="headrace-faults-"))
    since = f"{datetime.now(UTC):{FORMAT}}" if asked.every == AS_IT_IS else ""
    with production(folder, asked.lease, since) as one, as_if_in(dict(one.variables)):
        world = opened(one, seed)
        wait_until_it_serves(world)
        rounds = []
        for number in range(asked.rounds):
            compressed = partial(compressed_hour, one.home, number, every=asked.every)
            hour = (real_hour if since else compressed)(minutes=asked.minutes)
            rounds.append(play(world, number, hour))
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
    parser.add_argument(
        "--every",
        type=float,
        default=6.0,
        help="seconds that such a minute takes; with 60 schedules ask for runs, otherwise sensors",
    )
    parser.add_argument("--lease", type=int, default=LEASE, help="seconds after which a silent daemon leads no more")
    return parser


if __name__ == "__main__":
    sys.exit(main())
