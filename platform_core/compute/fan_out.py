"""A step whose partitions run side by side, each in a process of its own."""

import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from platform_core.compute.declaration import ONE_PARTITION_AT_A_TIME
from platform_core.compute.retelling import Outcome
from platform_core.dagster_internals import AssetNode, ExecutionStep, PlanOrchestrationContext
from platform_core.errors import listed
from platform_core.orchestrator.partitions import one_partition, partitions_of
from platform_core.orchestrator.steps import asset_nodes_of, upstream_nodes

SWEEP_TAG = "headrace/sweep"  # on a run: the id of the sweep that it works at
AT_ONCE_TAG = "headrace/at_once"  # on such a run: how many trials side by side, where somebody said so
WORKER_TAG = "headrace/worker"  # on a process of such a run: which of the workers it is, or which trial is its own
NAMED = 5  # partitions whose failures are told in the step's own


@dataclass
class FanOut:
    """What is left of a step's partitions, and what became of the others.

    Args:
        at_once: how many may run at the same time; None leaves that to the backend.
        of: what people call the partitions.
    """

    step: ExecutionStep
    partitions: Sequence[str]
    at_once: int | None = None
    tries: Counter[str] = field(default_factory=Counter)
    outputs: set[str] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    of: str = "partitions"

    def __post_init__(self) -> None:
        self._left = set(self.partitions)
        self._to_start = deque(self.partitions)
        self.running: set[str] = set()

    def startable(self) -> list[str]:
        """The partitions that may start now, each told once."""
        room = len(self._to_start) if self.at_once is None else self.at_once - len(self.running)
        some = [self._to_start.popleft() for _ in range(min(room, len(self._to_start)))]
        self.running.update(some)
        return some

    def settle(self, outcome: Outcome) -> None:
        """Takes the last word about a partition."""
        self._left.discard(outcome.partition)
        self.running.discard(outcome.partition)
        self.outputs.update(outcome.outputs)
        if outcome.kind == "failed":
            self.failures[outcome.partition] = outcome.sentence

    def remember(self, outcomes: Iterable[Outcome]) -> None:
        """Takes what an earlier run worker was told."""
        for outcome in outcomes:
            if outcome.kind == "retry":
                self.tries[outcome.partition] += 1
            else:
                self.settle(outcome)
        self._to_start = deque(partition for partition in self._to_start if partition in self._left)

    @property
    def is_complete(self) -> bool:
        return not self._left

    @property
    def failure(self) -> str:
        """What went wrong with how many partitions; nothing when nothing did."""
        if not self.failures:
            return ""
        told = (f"{key}: {sentence}" for key, sentence in self.failures.items())
        return f"{len(self.failures)} of {len(self.partitions)} partitions failed. {listed(told, NAMED)}"

    @property
    def note(self) -> tuple[str, Mapping[str, Any]] | None:
        """What the event log shall say of all of them at the end: a sentence and metadata."""
        return None

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began


def fan_out_of(context: PlanOrchestrationContext, step: ExecutionStep) -> FanOut | None:
    """The partitions of a run that a step must take one at a time; None when it takes them together, or is of one."""
    nodes = asset_nodes_of(context, step)
    definition = nodes[0].partitions_def if nodes else None
    if definition is None or not any(_takes_one(context, node) for node in nodes):
        return None
    partitions = partitions_of(context, definition)
    if len(partitions) < 2:  # noqa: PLR2004
        return None
    # A place in a pool is for one process.
    return FanOut(step, partitions, at_once=1 if step.pool else None)


def tags_of(context: PlanOrchestrationContext, step: ExecutionStep, partition: str) -> dict[str, str]:
    """The run's tags for the process of one partition, or of one worker of a sweep."""
    if SWEEP_TAG in context.dagster_run.tags:
        return {**context.dagster_run.tags, WORKER_TAG: partition}
    definition: Any = asset_nodes_of(context, step)[0].partitions_def
    return one_partition(context.dagster_run.tags, definition, partition)


def _takes_one(context: PlanOrchestrationContext, node: AssetNode) -> bool:
    """Whether the value of an asset is of one partition, or made of such values."""
    return any(ONE_PARTITION_AT_A_TIME in each.metadata for each in (node, *upstream_nodes(context, node)))
