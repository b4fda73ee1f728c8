"""The backend that runs every step as a job of AWS Batch."""

import logging
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from platform_core.compute.attempts import WORKER, Attempt, Change, Order
from platform_core.compute.backends.backend import Backend, require
from platform_core.compute.backends.batch.calls import CallFailed, Calls
from platform_core.compute.backends.batch.claims import Claims
from platform_core.compute.backends.batch.desk import Desk
from platform_core.compute.backends.batch.ender import Ender
from platform_core.compute.backends.batch.endings import CANCELLED
from platform_core.compute.backends.batch.folder import Folder
from platform_core.compute.backends.batch.jobs import Job
from platform_core.compute.backends.batch.launcher import Launcher
from platform_core.compute.backends.batch.options import Options
from platform_core.compute.backends.batch.schedule import Schedule
from platform_core.compute.backends.batch.submissions import LARGEST_ARRAY, Deployment
from platform_core.compute.backends.batch.watcher import Pace, Watcher
from platform_core.compute.spec import BackendName

logger = logging.getLogger(__name__)

_CLOSING_SECONDS = 5.0


class BatchBackend(Backend):
    """Steps as AWS Batch jobs. Region, endpoints and credentials are found as the AWS SDKs find them.

    Args:
        folder: `s3://bucket/prefix` for what Batch has no room for. The run worker reads, writes, lists and deletes
            below it, steps read.
        image: the image of steps that do not name their own.
        options: what holds where a profile's options do not say otherwise; see `Options`.
        command: the worker in the image.
        region: when it is not the one of the environment.
        poll_seconds: between two looks at the jobs while there is news; up to five times that while there is none.
        patience_seconds: how long a step may wait for a machine before people hear what it waits for.
        settle_seconds: how long Batch may take to list a job that was just submitted.
        largest_array: the most partitions in one array job; 1 submits each as a job of its own.

    Raises:
        DefinitionError: an option that does not exist, or cannot be.
        SettingsError: the folder is no place in S3.
    """

    name: ClassVar[BackendName] = "batch"

    def __init__(
        self,
        folder: str,
        *,
        image: str = "",
        options: Mapping[str, Any] | None = None,
        command: Sequence[str] = ("python", *WORKER),
        region: str | None = None,
        poll_seconds: float = 2.0,
        patience_seconds: float = 60.0,
        settle_seconds: float = 30.0,
        largest_array: int = LARGEST_ARRAY,
    ) -> None:
        super().__init__()
        require("boto3", self.name)
        most = min(largest_array, LARGEST_ARRAY)
        deployment = Deployment(Options().with_those_of(options or {}), image, tuple(command), most)
        self._calls = Calls(region)
        self._folder = Folder(folder, self._calls)
        self._desk = Desk(lambda: self.wake())
        # Looks must not wait behind ten thousand submissions that AWS takes slowly.
        self._changing, self._looking = Schedule(), Schedule(threads=3)
        self._ender = Ender(self._calls, self._changing)
        pace = Pace(poll_seconds, patience_seconds, settle_seconds)
        self._watcher = Watcher(self._calls, self._desk, self._looking, self._ender, pace)
        self._claims = Claims(self._folder)
        self._launcher = Launcher(
            deployment,
            calls=self._calls,
            folder=self._folder,
            claims=self._claims,
            desk=self._desk,
            schedule=self._changing,
            ender=self._ender,
            began=self._began,
            settle=settle_seconds,
        )
        self._payloads: dict[str, Job] = {}  # what is to be removed when the job has ended
        self._payloads_lock = threading.Lock()

    def launch(self, orders: Sequence[Order]) -> None:
        runs: dict[str, list[Order]] = {}
        for order in orders:
            if self._desk.take(order):
                runs.setdefault(order.attempt.run_id, []).append(order)
        for theirs in runs.values():
            self._launcher.begin(theirs)

    def changes(self) -> Sequence[Change]:
        news = self._desk.drain()
        if any(change.ending for change in news):
            self._remove_payloads()
        return news

    def terminate(self, attempts: Collection[Attempt]) -> None:
        orders = self._desk.ask_to_end(attempts)
        self._ender.end(self._watcher.ids_of(orders), CANCELLED)

    def close(self) -> None:
        over = self._desk.runs_that_are_over()
        self._changing.close()
        self._looking.close()
        if over:
            # Only now can no run worker ask for these attempts again. A slow answer must not hold up the end.
            cleaning = threading.Thread(target=self._remove_claims, args=(over,), daemon=True)
            cleaning.start()
            cleaning.join(_CLOSING_SECONDS)

    def _began(self, job: Job) -> None:
        if job.payloads:
            with self._payloads_lock:
                self._payloads[job.id] = job
        self._watcher.watch(job)
        # Whoever asked for their end while they were being submitted did not find them.
        unwanted = [order for order in job.orders.values() if self._desk.is_unwanted(order)]
        if unwanted:
            self._ender.end(self._watcher.ids_of(unwanted), CANCELLED)

    def _remove_payloads(self) -> None:
        with self._payloads_lock:
            ended = [job for job in self._payloads.values() if self._was_told(job.orders.values())]
            for job in ended:
                del self._payloads[job.id]
        if ended:
            self._looking.soon(self._folder.delete, [job.payloads for job in ended])

    def _was_told(self, orders: Iterable[Order]) -> bool:
        return all(map(self._desk.was_told, orders))

    def _remove_claims(self, runs: Sequence[str]) -> None:
        try:
            for run_id in runs:
                self._claims.remove(run_id)
        except CallFailed as error:
            logger.warning("What is left of ended steps below %s could not be removed: %s", self._folder, error.words)
