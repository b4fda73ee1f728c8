"""How orders become jobs, each exactly once."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from platform_core.compute.attempts import Ending, Order
from platform_core.compute.backends.batch.calls import CallFailed, Calls
from platform_core.compute.backends.batch.claims import Claim, Claimed, Claims
from platform_core.compute.backends.batch.definitions import Definitions
from platform_core.compute.backends.batch.desk import Desk
from platform_core.compute.backends.batch.ender import Ender
from platform_core.compute.backends.batch.endings import CANCELLED
from platform_core.compute.backends.batch.folder import Folder
from platform_core.compute.backends.batch.jobs import Job
from platform_core.compute.backends.batch.names import JOB_TAG, run_name
from platform_core.compute.backends.batch.schedule import Schedule
from platform_core.compute.backends.batch.submissions import Deployment, Submission, submissions_of
from platform_core.compute.payloads import bundle

DUPLICATE = "Ended by Headrace: the same step was submitted before."
_LONGEST_PAUSE = 60.0
_TELL_AFTER = 2  # failed calls
_LOOKS = 6  # for a job that may exist, within the time that Batch takes to list it


class Launcher:
    """Submits orders, or finds what an earlier run worker submitted.

    Args:
        began: what is called with every job that exists now.
        settle: seconds after which a submitted job is certainly listed.
    """

    def __init__(
        self,
        deployment: Deployment,
        *,
        calls: Calls,
        folder: Folder,
        claims: Claims,
        desk: Desk,
        schedule: Schedule,
        ender: Ender,
        began: Callable[[Job], None],
        settle: float,
    ) -> None:
        self._deployment, self._calls, self._folder, self._claims = deployment, calls, folder, claims
        self._desk, self._schedule, self._ender = desk, schedule, ender
        self._began, self._settle = began, settle
        self._definitions = Definitions(calls)
        self._one_at_a_time = threading.Lock()

    def begin(self, orders: Sequence[Order]) -> None:
        """Launches orders of one run, in another thread."""
        self._later(0, orders, self._launch, orders)

    def _launch(self, orders: Sequence[Order], tries: int = 0) -> None:
        try:
            with self._one_at_a_time:  # the claims of a run are read once
                earlier = self._claims.earlier(orders[0].attempt.run_id)
            self._submit_all([order for order in orders if order.attempt.id not in earlier])
        except CallFailed as error:
            self._again_or_refused(orders, error, tries, self._launch, orders, tries + 1)
            return
        if known := [order for order in orders if order.attempt.id in earlier]:
            self._adopt(known, earlier, time.monotonic() + self._settle)

    def _submit_all(self, orders: Sequence[Order]) -> None:
        """Writes down what is going to be submitted before anything is."""
        submissions, refused = submissions_of(orders, self._deployment)
        for order, reason in refused:
            self._desk.ends(order.attempt, Ending("refused", str(reason)))
        if submissions:
            self._claim(submissions)
        for submission in submissions:
            self._later(0, submission.orders, self._submit, submission)

    def _claim(self, submissions: Sequence[Submission]) -> None:
        for submission in submissions:
            if not submission.fits_inline:
                payloads = bundle([order.payload for order in submission.orders])
                self._folder.put(_payloads(submission), payloads, submission.orders[0].labels)
        first = submissions[0].orders[0]
        self._claims.write(first.attempt.run_id, map(_claimed, submissions), first.labels)

    def _submit(self, submission: Submission, tries: int = 0) -> None:
        if all(map(self._desk.is_unwanted, submission.orders)):
            self._end(submission.orders, Ending("cancelled", "It was cancelled before it started."))
            return
        try:
            arn = self._definitions.arn(submission.definition)
        except CallFailed as error:
            self._again_or_refused(submission.orders, error, tries, self._submit, submission, tries + 1)
            return
        try:
            job_id = self._calls.submit(submission.request(arn, self._folder.url(_payloads(submission))))
        except CallFailed as error:
            self._not_submitted(submission, error, tries)
        else:
            self._began(_job(job_id, submission))

    def _not_submitted(self, submission: Submission, error: CallFailed, tries: int) -> None:
        if error.fault == "unclear":
            self._look_for(submission, time.monotonic() + self._settle, tries)
            return
        if tries == 0 and "definition" in error.words.lower():
            self._definitions.forget(submission.definition)  # somebody deregistered it
            self._later(0, submission.orders, self._submit, submission, tries + 1)
            return
        self._again_or_refused(submission.orders, error, tries, self._submit, submission, tries + 1)

    def _look_for(self, submission: Submission, until: float, tries: int) -> None:
        """After a submission whose answer was lost: it is repeated only when Batch certainly does not have it."""
        try:
            listed = self._calls.jobs_named(submission.options.queue, submission.name)
            ids = self._ours(listed).get(submission.name)
        except CallFailed as error:
            self._again_or_refused(submission.orders, error, tries, self._look_for, submission, until, tries + 1)
            return
        if ids:
            self._began(_job(self._only_one(ids), submission))
        elif time.monotonic() < until:
            self._later(self._settle / _LOOKS, submission.orders, self._look_for, submission, until, tries)
        else:
            self._submit(submission, tries + 1)

    def _adopt(self, orders: Sequence[Order], claims: Mapping[str, list[Claim]], until: float, tries: int = 0) -> None:
        """Takes charge of what earlier run workers submitted, and submits what they did not get to."""
        try:
            found = self._listed(orders, claims)
        except CallFailed as error:
            self._again_or_refused(orders, error, tries, self._adopt, orders, claims, until, tries + 1)
            return
        places = {order.attempt.id: _place(claims[order.attempt.id], found) for order in orders}
        for name, theirs in _by_job(orders, places).items():
            self._take_over(theirs, self._only_one(found[name]))
        missing = [order for order in orders if places[order.attempt.id] is None]
        if missing and time.monotonic() < until:
            self._later(self._settle / _LOOKS, missing, self._adopt, missing, claims, until)
        elif missing:
            self._submit_missing(missing)

    def _submit_missing(self, orders: Sequence[Order], tries: int = 0) -> None:
        try:
            self._submit_all(orders)
        except CallFailed as error:
            self._again_or_refused(orders, error, tries, self._submit_missing, orders, tries + 1)

    def _listed(self, orders: Sequence[Order], claims: Mapping[str, list[Claim]]) -> dict[str, list[str]]:
        queues = {claim.queue for order in orders for claim in claims[order.attempt.id]}
        prefix = run_name(orders[0].attempt.run_id)
        listed = [self._calls.jobs_named(queue, prefix) for queue in sorted(queues)]
        wanted = {claim.job for order in orders for claim in claims[order.attempt.id]}
        return self._ours({name: ids for jobs in listed for name, ids in jobs.items() if name in wanted})

    def _ours(self, listed: Mapping[str, list[str]]) -> dict[str, list[str]]:
        """Without jobs that only have the name of one of ours."""
        known = self._calls.describe(job_id for ids in listed.values() for job_id in ids)
        ours = {job_id for job_id, job in known.items() if job.get("tags", {}).get(JOB_TAG) == job["jobName"]}
        kept = {name: [job_id for job_id in ids if job_id in ours] for name, ids in listed.items()}
        return {name: ids for name, ids in kept.items() if ids}

    def _take_over(self, orders: Mapping[int, tuple[Order, Claim]], job_id: str) -> None:
        theirs = {index: order for index, (order, _) in orders.items()}
        order, claim = next(iter(orders.values()))
        submissions, refused = submissions_of([order], self._deployment)
        if refused:  # the profile changed since, so that nobody could say any more what the job needs
            self._ender.end([job_id], CANCELLED)
            self._end(theirs.values(), Ending("refused", str(refused[0][1])))
            return
        job = replace(_job(job_id, submissions[0]), name=claim.job, queue=claim.queue, is_array=claim.is_array)
        self._began(replace(job, orders=theirs, payloads=_place_of_payloads(order, claim.job)))

    def _only_one(self, ids: Sequence[str]) -> str:
        self._ender.end(ids[1:], DUPLICATE)
        return ids[0]

    def _again_or_refused(
        self, orders: Sequence[Order], error: CallFailed, tries: int, work: Callable[..., None], *args: object
    ) -> None:
        """After a call that failed: tries again later and later, or gives up when it can never succeed."""
        if error.fault == "refused":
            self._end(orders, Ending("refused", f"AWS refuses to start it. AWS says: {error.words}."))
            return
        if tries >= _TELL_AFTER:
            for order in orders:
                self._desk.waits(order.attempt, f"AWS cannot be asked to start it yet: {error.words}.")
        pause = min(_LONGEST_PAUSE, 2.0**tries) * random.uniform(0.5, 1)  # so that not all come back at once
        self._later(pause, orders, work, *args)

    def _later(self, pause: float, orders: Sequence[Order], work: Callable[..., None], *args: object) -> None:
        self._schedule.after(pause, self._guarded, orders, work, *args)

    def _guarded(self, orders: Sequence[Order], work: Callable[..., None], *args: object) -> None:
        """Does work for orders. A defect in it must not leave them without an end: a run would wait for ever."""
        try:
            work(*args)
        except Exception as error:
            self._end(orders, Ending("refused", f"The Batch backend could not start it, by its own fault: {error!r}."))
            raise

    def _end(self, orders: Iterable[Order], ending: Ending) -> None:
        for order in orders:
            self._desk.ends(order.attempt, ending)


def _place(claims: Sequence[Claim], found: Mapping[str, object]) -> Claim | None:
    """The newest claim of which there is a job."""
    return next((claim for claim in reversed(claims) if claim.job in found), None)


def _by_job(orders: Iterable[Order], places: Mapping[str, Claim | None]) -> dict[str, dict[int, tuple[Order, Claim]]]:
    """Orders whose job was found, by its name and by their index in it."""
    jobs: dict[str, dict[int, tuple[Order, Claim]]] = {}
    for order in orders:
        if claim := places[order.attempt.id]:
            jobs.setdefault(claim.job, {})[claim.index] = (order, claim)
    return jobs


def _claimed(submission: Submission) -> Claimed:
    attempts = tuple(order.attempt.id for order in submission.orders)
    return Claimed(submission.name, submission.options.queue, attempts)


def _payloads(submission: Submission) -> str:
    return _place_of_payloads(submission.orders[0], submission.name)


def _place_of_payloads(order: Order, job: str) -> str:
    return f"{run_name(order.attempt.run_id)}/{job}.payloads"


def _job(job_id: str, submission: Submission) -> Job:
    return Job(
        id=job_id,
        name=submission.name,
        queue=submission.options.queue,
        orders=dict(enumerate(submission.orders)),
        is_array=submission.is_array,
        need=submission.need,
        log_group=submission.options.log_group,
        payloads="" if submission.fits_inline else _payloads(submission),
    )
