"""`headrace doctor` tells everything at once."""

import json

import pytest
from click.testing import CliRunner

from platform_core.cli.main import headrace
from tests.repository.tree import ROOT


def test_all_parts_are_looked_at_and_the_exit_code_says_that_something_is_wrong(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(ROOT))
    monkeypatch.setenv("HEADRACE_NAMESPACE", "production")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    done = CliRunner().invoke(headrace, ["doctor", "--no-code", "--json"])
    found = {one["part"]: one["state"] for one in json.loads(done.stdout)}
    assert found == {
        "catalog": "fine",
        "store": "fine",
        "Dagster's storage": "fine",
        "daemon": "wrong",
        "backend local": "fine",
    }
    assert done.exit_code == 1
    shown = CliRunner().invoke(headrace, ["doctor", "--no-code"], env={"HEADRACE_NAMESPACE": "user/tess"})
    assert shown.exit_code == 0
    assert "Nothing to mend" in shown.output
