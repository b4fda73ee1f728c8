"""One run: what follows for its steps from what a backend tells, and from what they tell themselves."""

import os
import re
import signal
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pytest

from platform_core.compute import examination, orchestration
from platform_core.compute.attempts import Change, Ending, Order
from platform_core.compute.executor import routing_executor
from platform_core.compute.placement import ComputeTable
from platform_core.compute.profiles import Limits
from platform_core.compute.spec import COMPUTE_TAG, Compute
from platform_core.dagster_internals import PlanOrchestrationContext
from platform_core.explanation import explain
from tests.platform_core.compute.doubles import Fate, Job, ScriptedBackend
from tests.platform_core.environments.support.fixtures import index, repository, uv_cache
from tests.platform_core.environments.support.toys import Repository

__all__ = ["index", "repository", "uv_cache"]

LOST = Ending("vanished", "The node is gone.")
KINDS = dg.DagsterEventType


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orchestration, "PATIENCE", 0.05)


def asset(name: str, *deps: str, does: Any = None, **said: Any) -> dg.AssetsDefinition:
    compute = Compute(backend="batch", **said)
    policy = dg.RetryPolicy(max_retries=compute.retries, delay=0.01) if compute.retries else None

    @dg.asset(name=name, deps=deps, op_tags={COMPUTE_TAG: compute.to_text()}, retry_policy=policy)
    def made() -> None:
        if does is not None:
            does()

    return made


class Ran:
    """A run of assets on a backend with a script, and what the event log holds of it."""

    def __init__(
        self,
        *assets: Any,
        fates: Mapping[str, Sequence[Fate]] | None = None,
        limits: Limits | None = None,
        backend: ScriptedBackend | None = None,
        images: Any = None,
    ) -> None:
        self.backend = backend or ScriptedBackend(fates, limits)
        table = ComputeTable(backends={"batch": lambda: self.backend}, images=images)
        job = Job(*assets, executor=routing_executor(table))
        self.backend.job = job
        job.run()
        self.events = job.stored
        self.run = job.instance.get_runs()[0]

    def of(self, step: str, *kinds: KINDS) -> list[str]:
        """The messages about a step."""
        return [
            str(event.message)
            for event in self.events
            if event.step_key == step and (not kinds or event.event_type in kinds)
        ]

    def kinds_of(self, step: str) -> list[KINDS]:
        """Starts and ends of a step."""
        wanted = {KINDS.STEP_START, KINDS.STEP_SUCCESS, KINDS.STEP_FAILURE, KINDS.STEP_UP_FOR_RETRY, KINDS.STEP_SKIPPED}
        return [event.event_type for event in self.events if event.step_key == step and event.event_type in wanted]

    def failure(self, step: str) -> str:
        (event,) = [event for event in self.events if event.step_key == step and event.is_step_failure]
        data = event.step_failure_data.user_failure_data
        return (data.description or "") if data else ""

    @property
    def run_failure(self) -> str:
        """The sentence with which the run failed as a whole."""
        (event,) = [event for event in self.events if event.event_type == KINDS.RUN_FAILURE]
        return explain(event.job_failure_data.error, None) or ""

    @property
    def attempts(self) -> list[tuple[str, int]]:
        return [(order.attempt.step, order.attempt.number) for order in self.backend.orders]


def test_steps_run_in_their_order_and_each_says_where_and_why() -> None:
    ran = Ran(asset("first"), asset("second", "first"))
    assert ran.run.is_success
    assert ran.attempts == [("first", 1), ("second", 1)]
    assert ran.of("first", KINDS.STEP_WORKER_STARTING) == ["On the backend batch (the asset says so): 1 cpu."]
    assert ran.kinds_of("first") == [KINDS.STEP_START, KINDS.STEP_SUCCESS]


def test_what_vanished_is_started_again_as_another_attempt() -> None:
    ran = Ran(asset("one"), fates={"one": [LOST, LOST]})
    assert ran.run.is_success
    assert ran.attempts == [("one", 1), ("one", 2), ("one", 3)]
    assert "The node is gone. Starting it again (2 of 3 times)." in ran.of("one")
    assert len({order.attempt.id for order in ran.backend.orders}) == 3


def test_what_vanishes_again_and_again_fails_without_its_own_retries() -> None:
    ran = Ran(asset("one", infrastructure_retries=1, retries=5), asset("two", "one"), fates={"one": [LOST] * 9})
    assert not ran.run.is_success
    assert len(ran.attempts) == 2
    assert ran.failure("one") == "The node is gone. It was started again once."
    assert ran.kinds_of("two") == []


def test_what_needs_more_memory_gets_it_up_to_the_limits() -> None:
    short = Ending("memory", "It was killed for memory.")
    ran = Ran(asset("one", memory="1GiB"), fates={"one": [short] * 9}, limits=Limits(memory="3GiB"))
    assert [order.compute.memory_bytes for order in ran.backend.orders] == [1 << 30, 2 << 30, 3 << 30]
    assert ran.failure("one") == "It was killed for memory. It was started again 2 times."


def test_a_crash_uses_a_retry_of_the_step() -> None:
    crash = Ending("failed", "Its process ended with exit code 3.")
    ran = Ran(asset("one", retries=1), fates={"one": [crash, crash]})
    assert ran.kinds_of("one") == [KINDS.STEP_UP_FOR_RETRY, KINDS.STEP_FAILURE]
    assert ran.attempts == [("one", 1), ("one", 2)]


def test_the_last_lines_of_what_was_lost_are_told() -> None:
    ran = Ran(asset("one"), fates={"one": [Ending("vanished", "Evicted.", log="Loading 3 of 9")]})
    assert "The last lines that it printed:\nLoading 3 of 9" in ran.of("one")


def test_an_image_without_the_platform_is_told_once_and_not_in_pythons_words() -> None:
    log = "python: Error while finding module specification for 'platform_core.compute.worker' (ModuleNotFoundError)"
    crash = Ending("failed", "Its process ended with exit code 1.", log)
    ran = Ran(asset("one", image="x@sha256:0123", retries=3), fates={"one": [crash] * 4})
    assert ran.failure("one").startswith("The image x@sha256:0123 has no platform inside, so that no step starts in it")
    assert ran.attempts == [("one", 1)]
    assert not any("Error while finding" in message for message in ran.of("one"))


class Trying(ScriptedBackend):
    """Tries images out; of each there may be a way in which that ends."""

    def __init__(self, image: str = "", **endings: Fate) -> None:
        super().__init__()
        self._image = image
        self.tried: list[Order] = []
        self._endings = endings

    @property
    def image(self) -> str:
        return self._image

    @property
    def tries_images(self) -> bool:
        return True

    def launch(self, orders: Sequence[Order]) -> None:
        tried = [order for order in orders if order.attempt.number == 0]
        self.tried += tried
        fates = {
            order.attempt: self._endings.get((order.compute.image or "")[0], Ending("finished")) for order in tried
        }
        self.news += [Change(each, "ended", ending=fate) for each, fate in fates.items() if isinstance(fate, Ending)]
        if started := [order for order in orders if order not in tried]:
            super().launch(started)

    @property
    def images(self) -> list[str | None]:
        return [order.compute.image for order in self.tried]


NO_PLATFORM = Ending("failed", "Exit code 1.", "python: No module named platform_core.compute.worker")
REFUSING = Ending("refused", "The image y@sha256:1 cannot be fetched (denied).")


def test_images_in_which_nothing_starts_are_told_before_any_step_starts() -> None:
    images = {"two": "x@sha256:1", "three": "y@sha256:1", "four": "z@sha256:1"}
    ran = Ran(
        asset("one"),
        *(asset(name, "one", image=image) for name, image in images.items()),
        backend=Trying(x=NO_PLATFORM, y=REFUSING),
    )
    assert ran.attempts == []
    assert not any(ran.kinds_of(step) for step in ("one", *images))
    assert ran.run_failure.startswith("The image x@sha256:1 has no platform inside, so that no step starts in it; use")
    assert ran.run_failure.endswith(f" {REFUSING.sentence}")


def test_each_image_is_tried_once_without_needs_and_secrets_and_not_again_by_a_retry() -> None:
    backend = Trying()
    some = [asset(name, image="x@sha256:1", gpu=2, memory="1GiB", retries=1) for name in ("one", "two")]
    ran = Ran(*some, asset("three", image="z@sha256:1"), backend=backend)
    assert ran.run.is_success
    assert {*backend.images} == {"x@sha256:1", "z@sha256:1"}
    assert len(backend.images) == 2
    assert sorted(ran.attempts) == [("one", 1), ("three", 1), ("two", 1)]
    assert all(order.compute == Compute(cpu=0.1, image=order.compute.image) for order in backend.tried)
    assert not any(order.secrets for order in backend.tried)


def test_the_image_that_a_deployment_names_for_all_steps_is_tried_once() -> None:
    backend = Trying("x@sha256:1", x=NO_PLATFORM)
    assert "x@sha256:1 has no platform inside" in Ran(asset("one"), asset("two"), backend=backend).run_failure
    assert (backend.images, backend.orders) == (["x@sha256:1"], [])


def test_images_that_the_platform_chose_are_not_tried() -> None:
    backend = Trying("x@sha256:1", x=NO_PLATFORM)
    ran = Ran(asset("one"), backend=backend, images=lambda *_: ("y@sha256:1", "made"))
    assert (backend.images, ran.attempts) == ([], [("one", 1)])


def test_nothing_is_tried_where_no_image_is_named_or_a_step_may_fail() -> None:
    backend = Trying(x=NO_PLATFORM)
    ran = Ran(asset("one"), asset("two", image="x@sha256:1", on_failure="skip"), backend=backend)
    assert ran.run.is_success
    assert backend.images == []


def test_nothing_is_tried_where_the_backend_cannot_tell_so_early() -> None:
    ran = Ran(asset("one", image="x@sha256:1"))
    assert ran.attempts == [("one", 1)]


@pytest.mark.parametrize("fate", ["stays", LOST, Ending("failed", "Exit code 1.", "ValueError: no")])
def test_what_cannot_be_known_stops_nothing(fate: Fate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "LONGEST", 0.05)
    backend = Trying(x=fate)
    ran = Ran(asset("one", image="x@sha256:1"), backend=backend)
    assert ran.run.is_success
    assert backend.terminated == ([order.attempt for order in backend.tried] if fate == "stays" else [])


def test_a_run_that_is_interrupted_while_images_are_tried_starts_nothing() -> None:
    backend = Trying(x="stays")
    table = ComputeTable(backends={"batch": lambda: backend})
    for event in Job(asset("one", image="x@sha256:1"), executor=routing_executor(table)).events():
        if "is tried before any step" in str(event.message):
            os.kill(os.getpid(), signal.SIGINT)
    assert (backend.orders, backend.terminated) == ([], [backend.tried[0].attempt])


def test_a_run_that_is_resumed_tries_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PlanOrchestrationContext, "resume_from_failure", True)
    backend = Trying(x=NO_PLATFORM)
    ran = Ran(asset("one", image="x@sha256:1"), backend=backend)
    assert (backend.images, ran.attempts) == ([], [("one", 1)])


def test_nothing_starts_in_a_location_whose_lock_is_not_frozen(repository: Repository) -> None:
    path = repository.add("t", "toy") / "uv.lock"
    path.write_text(re.sub(r', hash = "sha256:[0-9a-f]+"', "", path.read_text()))
    ran = Ran(asset("one"), asset("two"))
    assert ran.attempts == []
    assert ran.run_failure == (
        f"{path}: there are files without a hash, in whose place anything could be installed, of toy 2.0; lock again"
        f" with: uv lock --project {path.parent}"
    )


def test_a_step_that_failed_by_itself_is_not_started_again() -> None:
    def fails() -> None:
        raise ValueError("no such column")

    ran = Ran(asset("bad", does=fails), asset("good"), asset("after", "bad"))
    assert ran.kinds_of("bad") == [KINDS.STEP_START, KINDS.STEP_FAILURE]
    assert ran.kinds_of("good") == [KINDS.STEP_START, KINDS.STEP_SUCCESS]
    assert sorted(ran.attempts) == [("bad", 1), ("good", 1)]


@pytest.mark.parametrize("fates", [[], [Ending("timeout", "It ran longer than 2 h.")]], ids=["raises", "too long"])
def test_downstream_goes_on_without_a_step_that_may_fail(fates: list[Fate]) -> None:
    def fails() -> None:
        raise ValueError("no such column")

    ran = Ran(asset("may", does=fails, on_failure="skip"), asset("after", "may"), fates={"may": fates})
    assert ran.run.is_success
    assert ran.kinds_of("after") == [KINDS.STEP_START, KINDS.STEP_SUCCESS]
    (check,) = [event for event in ran.events if event.event_type == KINDS.ASSET_CHECK_EVALUATION]
    evaluation = check.asset_check_evaluation_data
    assert not evaluation.passed
    assert "Downstream goes on with the version before" in (evaluation.description or "")


def test_a_step_that_cannot_be_placed_fails_at_once_and_alone() -> None:
    ran = Ran(asset("big", gpu=2), asset("small"), limits=Limits(gpu=0))
    assert ran.failure("big").startswith("big cannot be placed: it asks for 2 gpu of at most 0 that the backend batch")
    assert ran.attempts == [("small", 1)]


def test_what_waits_says_for_what_once() -> None:
    class Waiting(ScriptedBackend):
        def changes(self) -> Any:
            waiting = [Change(order.attempt, "waiting", "It waits for a GPU.") for order in self.orders[:1]]
            return [*waiting, *super().changes()]

    backend = Waiting({"one": ["stays"]})
    job = Job(asset("one"), executor=routing_executor(ComputeTable(backends={"batch": lambda: backend})))
    backend.job = job
    rounds = iter(job.events())
    for event in rounds:
        if event.message == "It waits for a GPU.":
            backend.news = [Change(backend.orders[0].attempt, "ended", ending=Ending("refused", "No GPU came."))]
    assert [event.message for event in job.stored].count("It waits for a GPU.") == 1
