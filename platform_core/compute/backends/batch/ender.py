"""How jobs are ended, also when Batch does not listen at once."""

from collections.abc import Iterable

from platform_core.compute.backends.batch.calls import CallFailed, Calls
from platform_core.compute.backends.batch.schedule import Schedule

_TRIES = 5
_PAUSE = 2.0


class Ender:
    def __init__(self, calls: Calls, schedule: Schedule) -> None:
        self._calls, self._schedule = calls, schedule

    def end(self, ids: Iterable[str], reason: str) -> None:
        """Asks for the end of jobs, whole arrays or single children of them."""
        for job_id in ids:
            self._schedule.soon(self._terminate, job_id, reason)

    def _terminate(self, job_id: str, reason: str, tries: int = 1) -> None:
        try:
            self._calls.terminate(job_id, reason)
        except CallFailed:
            # A child does not exist for some moments after its array does.
            if tries >= _TRIES:
                raise
            self._schedule.after(_PAUSE * tries, self._terminate, job_id, reason, tries + 1)
