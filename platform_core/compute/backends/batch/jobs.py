"""A job that Batch has, and which of its children stands for which order."""

from collections.abc import Mapping
from dataclasses import dataclass

from platform_core.compute.attempts import Order
from platform_core.compute.backends.batch.needs import Need


@dataclass(frozen=True)
class Job:
    """A submitted or adopted job.

    Args:
        orders: by index; a job that is no array has the index 0 only. An adopted array may have more children than
            there are orders: the others ended and were recorded before.
        payloads: the name of the object that its children read their steps from; empty when there is none.
    """

    id: str
    name: str
    queue: str
    orders: Mapping[int, Order]
    is_array: bool
    need: Need
    log_group: str
    payloads: str = ""

    def id_of(self, index: int) -> str:
        return f"{self.id}:{index}" if self.is_array else self.id
