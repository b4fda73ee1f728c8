"""One round of faults; `python -m tests.faults` plays many."""

from pathlib import Path

import pytest

from platform_core.settings import as_if_in
from tests.end_to_end.conftest import FLIGHTS
from tests.faults.hour import compressed_hour
from tests.faults.production import production
from tests.faults.rounds import FAULTS, TAKEOVER, opened, play, wait_until_it_serves

SEED = 20261121


def test_whatever_dies_each_minute_is_computed_once_and_nothing_is_stuck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not FLIGHTS.is_file():
        pytest.skip("the environment of the location flights is not installed (make test installs it)")
    monkeypatch.setenv("DAGSTER_HOME", "before")  # so that it is put back after the test
    with production(tmp_path / "production") as one, as_if_in(dict(one.variables)):
        world = opened(one, SEED)
        wait_until_it_serves(world)
        told = play(world, 0, compressed_hour(one.home, 0, minutes=2, every=6.0))
        world.close()
    assert told.problems == []
    assert {"daemon", "paused daemon", "webserver", "code server", "postgres"} <= {*told.done} <= {*FAULTS}
    assert len(told.takeovers) == 2
    assert max(told.takeovers) < TAKEOVER
