"""Whether a run is still this process's to work on, asked every few seconds."""

import logging
import time
from typing import Literal

import dagster as dg

from platform_core.compute.run_worker import LAUNCH_TAG, launch_of

LOOK = 10.0  # seconds
_log = logging.getLogger("headrace")
Standing = Literal["on duty", "superseded", "over"]


class Duty:
    """Of one run worker.

    One that nobody could reach learns nothing of what was decided without it: its machine was cut off, so that another
    worker took charge of the run, or its cluster could not be asked, so that the run was only noted as cancelled.
    """

    def __init__(self, instance: dg.DagsterInstance, run_id: str) -> None:
        self._instance, self._run_id = instance, run_id
        self._next = time.monotonic() + LOOK

    def standing(self) -> Standing:
        if time.monotonic() < self._next:
            return "on duty"
        self._next = time.monotonic() + LOOK
        try:
            return standing_of(self._instance, self._run_id)
        except Exception as error:  # of whichever library: a database that is away says nothing of the run
            _log.warning("Whether run %s goes on could not be asked: %s", self._run_id, error)
            return "on duty"


def standing_of(instance: dg.DagsterInstance, run_id: str) -> Standing:
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished:
        return "over"
    launch = launch_of(run_id)
    return "superseded" if launch and run.tags.get(LAUNCH_TAG) != launch else "on duty"
