"""What was asked in this process and no asset has told of yet."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from platform_core.catalog.values import InputVersion
from platform_core.warehouse.query import Cost

Step = tuple[str, str]  # a run and a step of it
MOST = 10_000  # of a notebook that asks for days, and tells nobody


@dataclass(frozen=True, slots=True)
class Asked:
    """A query that was answered. `step` is None where a thread asked of which Dagster knows nothing."""

    step: Step | None
    title: str
    engine: str
    cost: Cost
    rows: int
    inputs: tuple[InputVersion, ...]


_asked: deque[Asked] = deque(maxlen=MOST)


def note(asked: Asked) -> None:
    _asked.append(asked)


def take(step: Step) -> list[Asked]:
    """What a step asked, each told once. What nobody's step asked counts: a process computes one step at a time."""
    taken = [item for item in _asked if item.step in (None, step)]
    kept = [item for item in _asked if item.step not in (None, step)]
    _asked.clear()
    _asked.extend(kept)
    return taken


def inputs_of(asked: Iterable[Asked]) -> list[InputVersion]:
    """The versions that were read, each once."""
    found = {(item.asset, item.partition, item.version): item for one in asked for item in one.inputs}
    return list(found.values())
