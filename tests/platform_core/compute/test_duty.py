"""A run worker learns that its run is over, or another's by now."""

from collections.abc import Iterator

import dagster as dg
import pytest

from platform_core.compute import duty
from platform_core.compute.duty import Duty
from platform_core.compute.run_worker import LAUNCH, new_launch
from tests.platform_core.compute.doubles import a_run


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as one:
        yield one


@pytest.fixture
def run(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> dg.DagsterRun:
    """One that this process was launched for."""
    run = a_run(instance)
    monkeypatch.setenv(LAUNCH, new_launch(instance, run.run_id)[LAUNCH])
    monkeypatch.setattr(duty, "LOOK", 0.0)
    return run


def test_it_is_on_duty_until_another_is_launched(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    one = Duty(instance, run.run_id)
    assert one.standing() == "on duty"
    new_launch(instance, run.run_id)
    assert one.standing() == "superseded"


@pytest.mark.parametrize("end", ["report_run_failed", "report_run_canceled"])
def test_a_run_that_somebody_ended_is_over(instance: dg.DagsterInstance, run: dg.DagsterRun, end: str) -> None:
    one = Duty(instance, run.run_id)
    instance.report_run_canceling(run)
    assert one.standing() == "on duty"
    getattr(instance, end)(run)
    assert one.standing() == "over"


def test_a_run_that_somebody_deleted_is_over(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    instance.delete_run(run.run_id)
    assert Duty(instance, run.run_id).standing() == "over"


def test_a_commands_own_run_is_never_anothers(
    instance: dg.DagsterInstance, run: dg.DagsterRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(LAUNCH)
    new_launch(instance, run.run_id)
    assert Duty(instance, run.run_id).standing() == "on duty"


def test_a_database_that_is_away_says_nothing(
    instance: dg.DagsterInstance,
    run: dg.DagsterRun,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def away(_: str) -> None:
        raise ConnectionError("too many retries")

    monkeypatch.setattr(instance, "get_run_by_id", away)
    assert Duty(instance, run.run_id).standing() == "on duty"
    assert f"Whether run {run.run_id} goes on could not be asked: too many retries" in caplog.text


def test_it_asks_every_few_seconds_alone(
    instance: dg.DagsterInstance, run: dg.DagsterRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duty, "LOOK", 60.0)
    one = Duty(instance, run.run_id)
    instance.report_run_canceled(run)
    assert one.standing() == "on duty"
