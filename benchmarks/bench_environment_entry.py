"""What resolving an environment that is there, and finding that it is the planned one, costs a step."""

from pathlib import Path

from benchmarks.interleave import Comparison, Contender, interleaved
from benchmarks.tables import times, with_allowance
from platform_core.environments import environment as environments
from platform_core.environments.environment import environment_of
from platform_core.environments.frozen import require
from platform_core.environments.venvs import ready_venv

TURNS, ALLOWED = 20, 0.05  # seconds that an entry may take
SUBJECT, REFERENCE = f"headrace, {TURNS} entries", f"{TURNS} times 50 ms"
LOCATION = "flights"


def main() -> Comparison:
    ready_venv(environment_of(LOCATION))  # it is there from now on
    return Comparison(
        claim="Resolving and entering an existing environment adds at most 50 ms to a step",
        subject=SUBJECT,
        reference=REFERENCE,
        target=1.0,
        samples=interleaved(
            [
                Contender(SUBJECT, times(TURNS, _enter)),
                Contender(REFERENCE, with_allowance(TURNS, lambda: None, ALLOWED)),
            ]
        ),
    )


def _enter() -> None:
    """As a new process does, which has read neither lock nor project before."""
    environments._environment.cache_clear()
    environment = environment_of(LOCATION)
    folder = ready_venv(environment).parent.parent
    require(environment.hash, LOCATION, Path(folder))
