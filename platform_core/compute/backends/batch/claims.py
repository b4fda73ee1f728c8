"""What this and earlier run workers set out to submit: written before it is done, so that nothing is done twice.

`SubmitJob` knows no token that would make a second call find the first, and `ListJobs` shows a new job only after a
while. S3 shows at once what was written. So an attempt without a claim was never submitted by anybody, and can be
submitted without asking Batch; one with a claim is looked for, and submitted again only after it stayed unfound
for longer than Batch takes to list a job.
"""

import json
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from platform_core.compute.backends.batch.folder import Folder
from platform_core.compute.backends.batch.names import run_name

_READERS = 8


@dataclass(frozen=True)
class Claim:
    """An attempt was to be submitted in this job of this queue, as this child when the job is an array."""

    job: str
    queue: str
    index: int
    is_array: bool


@dataclass(frozen=True)
class Claimed:
    """A job that is about to be submitted, with its attempts in the order of their indexes."""

    job: str
    queue: str
    attempts: tuple[str, ...]


class Claims:
    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._earlier: dict[str, Mapping[str, list[Claim]]] = {}

    def earlier(self, run_id: str) -> Mapping[str, list[Claim]]:
        """The claims of run workers before this one, by attempt id, the oldest first. Read once per run."""
        if run_id not in self._earlier:
            self._earlier[run_id] = self._read(run_id)
        return self._earlier[run_id]

    def write(self, run_id: str, jobs: Iterable[Claimed], labels: Mapping[str, str]) -> None:
        content = json.dumps([[job.job, job.queue, job.attempts] for job in jobs])
        self._folder.put(f"{_place(run_id)}/{uuid.uuid4().hex}.json", content.encode(), labels)

    def remove(self, run_id: str) -> None:
        """Removes all that is kept for a run, after everything of it ended and was told."""
        self._folder.delete(self._folder.names(run_name(run_id)))

    def _read(self, run_id: str) -> Mapping[str, list[Claim]]:
        claims: dict[str, list[Claim]] = {}
        with ThreadPoolExecutor(_READERS) as readers:
            for content in readers.map(self._folder.get, self._folder.names(_place(run_id))):
                for job, queue, attempts in json.loads(content):
                    for index, attempt in enumerate(attempts):
                        claims.setdefault(attempt, []).append(Claim(job, queue, index, len(attempts) > 1))
        return claims


def _place(run_id: str) -> str:
    return f"{run_name(run_id)}/claims"
