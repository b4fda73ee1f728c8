"""Fair comparisons on a machine that does other things too: contenders take turns, and only ratios count."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median
from typing import Any

ROUNDS = 5
SEED = 0  # the same orders every time: what differs between two runs is not that


class BenchmarkError(Exception):
    """A contender did not do its work, so its time says nothing."""


@dataclass(frozen=True, slots=True)
class Contender:
    """Something to time. `run` does the work once and raises when it did not get done."""

    name: str
    run: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds that one turn took: on the clock, and of processors (children that ended included)."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Standing:
    """One contender's medians over the rounds, in seconds, and how often they hold the reference's."""

    name: str
    wall: float
    cpu: float
    wall_ratio: float
    cpu_ratio: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A claim ("`subject` takes at most `target` times the wall time of `reference`") and what was measured."""

    claim: str
    subject: str
    reference: str
    target: float
    samples: Mapping[str, Sequence[Sample]]

    @property
    def standings(self) -> list[Standing]:
        return [self._standing(name) for name in self.samples]

    @property
    def holds(self) -> bool:
        return self._standing(self.subject).wall_ratio <= self.target

    def _standing(self, name: str) -> Standing:
        own, peer = _medians(self.samples[name]), _medians(self.samples[self.reference])
        return Standing(name, own.wall, own.cpu, _ratio(own.wall, peer.wall), _ratio(own.cpu, peer.cpu))


def command(name: str, *argv: str | os.PathLike[str], env: Mapping[str, str] | None = None) -> Contender:
    """A contender that is a command line; `env` is added to this process's environment."""

    def run() -> None:
        environment = {**os.environ, **(env or {})}
        try:
            done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        except OSError as error:
            raise BenchmarkError(f"{name} cannot start: {error}; `make bench` installs what it needs.") from error
        if done.returncode:
            last = (done.stderr or done.stdout).strip().rpartition("\n")[2]
            raise BenchmarkError(f"{name} failed with exit code {done.returncode}: {last}")

    return Contender(name, run)


def interleaved(contenders: Sequence[Contender], rounds: int = ROUNDS, warm_up: bool = True) -> dict[str, list[Sample]]:
    """Samples by contender, in the order of the rounds.

    Contenders take turns within each round, so that a busy minute hits all of them, and each round has an order of
    its own, so that none always finds what the same one left behind: caches, or memory that has to be cleaned first.
    The warm-up round is not counted.
    """
    samples: dict[str, list[Sample]] = {contender.name: [] for contender in contenders}
    if warm_up:
        for contender in contenders:
            contender.run()
    order = Random(SEED)
    for _ in range(rounds):
        for contender in order.sample(contenders, len(contenders)):
            samples[contender.name].append(_timed(contender.run))
    return samples


def _timed(run: Callable[[], Any]) -> Sample:
    cpu, start = sum(os.times()[:4]), time.perf_counter()
    run()
    return Sample(time.perf_counter() - start, sum(os.times()[:4]) - cpu)


def _medians(samples: Sequence[Sample]) -> Sample:
    return Sample(median(sample.wall for sample in samples), median(sample.cpu for sample in samples))


def _ratio(own: float, peer: float) -> float:
    # Processor time comes in ticks of 10 ms, so that a quick reference may well have taken none.
    return own / peer if peer else float("nan")
