"""What follows from what is heard of an attempt's pods."""

from typing import Any

from platform_core.compute.attempts import Attempt, Ending, Order
from platform_core.compute.backends.kubernetes.records import UNCONFIRMED, Conclude, Record, Remove, Tell
from platform_core.compute.profiles import Profile
from platform_core.compute.spec import Compute


def a_record() -> Record:
    return Record(Order(Attempt("r", "s"), Compute(), Profile(), ""), "default", since=0, tried=True, created=True)


def a_pod(uid: str = "u", state: dict[str, Any] | None = None, deleted: bool = False, **status: Any) -> dict[str, Any]:
    metadata = {"uid": uid, "name": uid} | ({"deletionTimestamp": "now"} if deleted else {})
    containers = [{"name": "step", "state": state}] if state else []
    return {
        "metadata": metadata,
        "spec": {"nodeName": "n1", "terminationGracePeriodSeconds": 30},
        "status": {"containerStatuses": containers, **status},
    }


RUNS: dict[str, Any] = {"running": {}}
FAILED = {"terminated": {"exitCode": 143, "reason": "Error"}}


def test_each_state_is_told_once() -> None:
    record = a_record()
    assert [type(deed) for deed in record.see(a_pod(state=RUNS), 1)] == [Tell]
    assert record.see(a_pod(state=RUNS), 2) == []


def test_a_pod_that_is_asked_to_end_has_vanished_once_it_did() -> None:
    record = a_record()
    record.see(a_pod(state=RUNS), 1)
    assert isinstance(record.see(a_pod(state=RUNS, deleted=True), 2)[0], Remove)
    assert record.has_left([a_pod(state=RUNS, deleted=True)], 3) == [], "its process still runs"
    (concluded,) = record.see(a_pod(state=FAILED, deleted=True), 4)
    assert isinstance(concluded, Conclude)
    assert concluded.ending.kind == "vanished"
    assert record.see(a_pod("replacement", state=RUNS), 5) == []


def test_a_pod_that_still_finishes_has_finished() -> None:
    record = a_record()
    record.see(a_pod(state=RUNS, deleted=True), 1)
    done = a_pod(state={"terminated": {"exitCode": 0}}, deleted=True)
    assert record.see(done, 2) == [Conclude(Ending("finished"), done)]


def test_a_lost_machine_is_not_waited_for() -> None:
    record = a_record()
    record.see(a_pod(state=RUNS), 1)
    silent = a_pod(state=RUNS, deleted=True, phase="Running", reason="NodeLost")
    assert isinstance(record.see(silent, 2)[0], Remove)
    (concluded,) = record.has_left([silent], 3)
    assert isinstance(concluded, Conclude)
    assert "n1 under it stopped answering" in concluded.ending.sentence


def test_an_end_that_no_machine_confirms_is_told_in_the_end() -> None:
    record = a_record()
    record.see(a_pod(state=RUNS), 1)
    record.cancel(2)
    record.has_left([a_pod(state=RUNS, deleted=True)], 3)
    assert record.check_patience(60, 30 + UNCONFIRMED) == []
    (concluded,) = record.check_patience(60, 3 + 30 + UNCONFIRMED)
    assert isinstance(concluded, Conclude)
    assert concluded.ending.sentence == "Cancelled. The machine n1 does not confirm that its process has ended."


def test_a_pod_missing_from_a_list_is_gone() -> None:
    record = a_record()
    record.see(a_pod(state=RUNS), 1)
    assert record.keep_only(["u"], 2) == []
    assert isinstance(record.keep_only([], 3)[0], Remove)
