"""A zygote of its own interpreter says why it cannot execute a run's steps."""

import sys
from multiprocessing import Pipe

import pytest

from platform_core.compute.backends.local.server import REFUSED, start_server
from platform_core.compute.requests import StepRequest
from tests.platform_core.compute.backends.local.zygotes import PATIENCE

UNKNOWN = StepRequest("11111111-1111-1111-1111-111111111111", "flights", "known", "enabled")


def test_a_run_that_cannot_be_loaded_is_refused_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path_factory.mktemp("dagster")))
    ours, theirs = Pipe()
    start_server(theirs, sys.executable, {"request": UNKNOWN.to_text(), "outlive": False, "plan": ""})
    theirs.close()
    assert ours.poll(PATIENCE)
    kind, attempt, ending = ours.recv()
    assert (kind, attempt, ending.kind) == (REFUSED, "", "refused")
    assert ending.sentence.startswith("The location cannot be loaded for its steps: The Dagster instance of this step")
    with pytest.raises(EOFError):  # it is gone
        ours.recv()
