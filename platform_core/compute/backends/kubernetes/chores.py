"""What is due now and then: creating again, removing, finding out why pods do not start, losing patience.

Everything here is done for many attempts with one call, and the pauses between looks grow while nothing moves.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Event, Thread
from typing import Any

from platform_core.compute.attempts import Ending
from platform_core.compute.backends.kubernetes.api import Api, ApiError
from platform_core.compute.backends.kubernetes.events import look_at_job, look_at_pod, newest, taken_away
from platform_core.compute.backends.kubernetes.explain import Pod, has_started, job_ending
from platform_core.compute.backends.kubernetes.launching import refusal
from platform_core.compute.backends.kubernetes.ledger import Ledger
from platform_core.compute.backends.kubernetes.manifest import (
    ATTEMPT_LABEL,
    ATTEMPTS_IN_A_CALL,
    attempt_selector,
    run_selector,
)
from platform_core.compute.backends.kubernetes.records import Record
from platform_core.compute.backends.kubernetes.sizes import never_fits

_log = logging.getLogger(__name__)

_ROUND = 1.0  # seconds between two rounds while there is any attempt
_TOGETHER = 0.05  # seconds in which what is to be removed gathers
_CLEAN_PAUSE = 5.0
_WITHOUT_POD = 3.0  # seconds in which a Job normally has its pod
_NOT_STARTED = 15.0  # seconds in which a pod normally starts
_FIRST_LOOK, _LONGEST_LOOK = 2.0, 30.0


@dataclass(frozen=True)
class Patience:
    """Seconds for a start that looks misconfigured, and for a machine, before asking whether there could be one."""

    start: float = 60.0
    placement: float = 900.0


class Chores:
    """Works in a thread of its own, which sleeps while no attempt is under way."""

    def __init__(self, ledger: Ledger, patience: Patience, create: Callable[[Record], None]) -> None:
        self._ledger = ledger
        self._patience = patience
        self._create = create
        self._api: Api | None = None
        self._nudged = Event()
        self._stopped = False
        self._next_look, self._look_pause = 0.0, _FIRST_LOOK
        self._next_clean = 0.0
        self._done: list[Record] = []
        self._may_see_nodes = True
        self._thread = Thread(target=self._run, name="headrace-kubernetes-chores", daemon=True)

    def start(self, api: Api) -> None:
        self._api = api
        self._thread.start()

    def nudge(self) -> None:
        """There is something to do now."""
        self._nudged.set()

    def clean_up(self, record: Record) -> None:
        """Its end was told: what is left of it can go."""
        self._done.append(record)

    def stop(self, timeout: float) -> None:
        """Does what is left to do, within reason."""
        self._stopped = True
        self._nudged.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopped:
            busy = self._ledger.choose(lambda _record: True)  # those that are over have yet to be cleaned up
            if self._nudged.wait(_ROUND if busy else None) and not self._stopped:
                self._nudged.clear()
                time.sleep(_TOGETHER)
            if self._stopped:
                break
            try:
                self._round()
            except Exception:  # one odd answer must not stop all that is still to do
                _log.exception("Looking after Jobs failed; it is tried again.")
        self._each(_to_remove, self._remove)
        self._clean()

    def _round(self) -> None:
        now = time.monotonic()
        for record in self._ledger.begin(now):
            self._create(record)
        for record in self._ledger.choose(lambda record: not record.over):
            self._ledger.update(record, partial(record.check_patience, self._patience.start))
        self._each(_to_remove, self._remove)
        if now >= self._next_clean:
            self._next_clean = now + _CLEAN_PAUSE
            self._clean()
        self._look(now)
        self._each(self._unplaced, self._place)

    def _each(self, wanted: Callable[[Record], bool], do: Callable[[str, list[Record]], None]) -> None:
        """Does something for all attempts that need it, in batches of one Kubernetes namespace."""
        for namespace, records in _batches(self._ledger.choose(wanted)):
            try:
                do(namespace, records)
            except ApiError as error:  # it is tried again in the next round
                _log.warning("Kubernetes did not answer well in the namespace '%s': %s", namespace, error)

    def _remove(self, namespace: str, records: list[Record]) -> None:
        """Deletes Jobs and finds out what is left of them, which the watch then follows to its end."""
        ids = [record.id for record in records]
        self._tell_why(namespace, self._ledger.take_lost(records))
        try:
            self._calls.delete_jobs(namespace, attempt_selector(ids))
        except ApiError as error:
            if not error.is_final:
                raise
            return self._abandon(namespace, records, error)
        pods = _by_attempt(self._calls.pods(namespace, attempt_selector(ids))[0])
        for record in records:
            self._ledger.update(record, partial(record.has_left, pods[record.id]))
        return None

    def _abandon(self, namespace: str, records: list[Record], error: ApiError) -> None:
        """Ends attempts whose Jobs it is not allowed to delete; waiting would not change that."""
        said = f"Its Job may still be running. {refusal(error, namespace)}"
        for record in records:
            ending = record.leaving or Ending("cancelled")
            ending = replace(ending, sentence=f"{ending.sentence} {said}".strip())
            self._ledger.conclude(record, ending)

    def _tell_why(self, namespace: str, lost: dict[str, Pod]) -> None:
        """Asks the cluster's events who took pods away."""
        names = {pod["metadata"]["name"]: id_ for id_, pod in lost.items()}
        if not names:
            return
        about = f"involvedObject.name={next(iter(names))}" if len(names) == 1 else "involvedObject.kind=Pod"
        events = self._calls.events(namespace, about)
        for name, id_ in names.items():
            record, why = (
                self._ledger.find(id_),
                taken_away(e for e in events if e["involvedObject"].get("name") == name),
            )
            if record is not None:
                record.taken_away(lost[id_], why)

    def _clean(self) -> None:
        done, self._done = self._done, []
        for namespace, records in _batches([record for record in done if record.created]):
            try:
                self._calls.delete_jobs(namespace, attempt_selector([record.id for record in records]))
            except ApiError as error:
                _log.warning("Ended Jobs stay until their time to live is over: %s", error)
        self._ledger.forget(done)

    def _look(self, now: float) -> None:
        """Finds out why attempts do not start, less and less often."""
        if now < self._next_look:
            return
        waiting = self._ledger.choose(lambda record: _is_late(record, now))
        self._look_pause = min(self._look_pause * 1.5, _LONGEST_LOOK) if waiting else _FIRST_LOOK
        self._next_look = now + self._look_pause if waiting else now
        late = {record.id for record in waiting}
        self._each(lambda record: record.id in late, self._look_at)

    def _look_at(self, namespace: str, records: list[Record]) -> None:
        events = newest(self._calls.events(namespace, "type=Warning"))
        for record in [record for record in records if record.pods]:
            for pod in record.pods.values():
                event = events.get(("Pod", pod["metadata"]["name"]))
                look = look_at_pod(event) if event else None
                if look is not None:
                    self._ledger.update(record, partial(record.consider, look))
        if podless := [record for record in records if not record.pods]:
            self._look_at_jobs(namespace, podless, events)

    def _look_at_jobs(self, namespace: str, records: list[Record], events: dict[tuple[str, str], Any]) -> None:
        selector = run_selector(records[0].order.attempt.run_id)
        jobs = {job["metadata"]["name"]: job for job in self._calls.jobs(namespace, selector)}
        for record in records:
            job, event = jobs.get(record.id), events.get(("Job", record.id))
            if job is None:
                gone = Ending("vanished", "Its Job was deleted by somebody.")
                self._ledger.update(record, partial(record.leave, gone))
            elif ended := job_ending(job):
                self._end_without_pod(record, ended)
            elif event is not None and (look := look_at_job(event)):
                self._ledger.update(record, partial(record.consider, look))

    def _end_without_pod(self, record: Record, ended: Ending) -> None:
        for pod in self._calls.pods(record.namespace, attempt_selector([record.id]))[0]:
            self._ledger.see(pod)
        if not record.pods:
            self._ledger.conclude(record, ended)

    def _unplaced(self, record: Record) -> bool:
        waited = time.monotonic() - record.look_since
        held = record.look.patience == "placement" and record.leaving is None and not record.over
        return self._may_see_nodes and held and waited >= self._patience.placement

    def _place(self, _namespace: str, records: list[Record]) -> None:
        """Refuses what no machine of the cluster could ever take, even an empty one."""
        try:
            nodes = self._calls.nodes()
        except ApiError as error:
            self._may_see_nodes = not error.is_final
            raise
        for record in records:
            record.look_since = time.monotonic()  # the next look is after another such wait
            specs: Iterable[dict[str, Any]] = [pod["spec"] for pod in record.pods.values()]
            if why := next((why for spec in specs if (why := never_fits(spec, nodes))), ""):
                ending = Ending("refused", f"No machine can take it: {why}.")
                self._ledger.update(record, partial(record.leave, ending))

    @property
    def _calls(self) -> Api:
        assert self._api is not None, "the chores begin with the first launch"
        return self._api


def _to_remove(record: Record) -> bool:
    return record.leaving is not None and record.created and not record.removed and not record.over


def _is_late(record: Record, now: float) -> bool:
    """Whether it takes longer than usual and nothing has said why, or its Job has not even a pod."""
    if record.over or not record.created or record.leaving is not None or record.look.runs:
        return False
    if not record.pods:
        return now - record.since >= _WITHOUT_POD
    started = any(has_started(pod) for pod in record.pods.values())
    return not started and record.look.patience == "any" and now - record.look_since >= _NOT_STARTED


def _batches(records: Sequence[Record]) -> Iterator[tuple[str, list[Record]]]:
    places: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in records:
        places[record.namespace, record.order.attempt.run_id].append(record)
    for (namespace, _run), some in places.items():
        for start in range(0, len(some), ATTEMPTS_IN_A_CALL):
            yield namespace, some[start : start + ATTEMPTS_IN_A_CALL]


def _by_attempt(pods: Iterable[Pod]) -> dict[str, list[Pod]]:
    found: dict[str, list[Pod]] = defaultdict(list)
    for pod in pods:
        found[pod["metadata"]["labels"][ATTEMPT_LABEL]].append(pod)
    return found
