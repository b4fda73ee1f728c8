"""A step that finds itself in another environment than the planned one does not start."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.platform_core.environments.support.toys import ROOT

JOB = """
import sys
from dataclasses import replace
import dagster as dg
from platform_core.compute import flights
from platform_core.compute.executor import routing_executor
from platform_core.compute.placement import ComputeTable

@dg.op
def leave_a_trace():
    open(sys.argv[1], "w").close()

@dg.job(executor_def=routing_executor(ComputeTable()))
def job():
    leave_a_trace()

def elsewhere(placement, *_):
    return replace(placement, environment="flights:0123456789ab")

if __name__ == "__main__":
    if sys.argv[2] == "elsewhere":
        flights.in_environment = elsewhere
    with dg.DagsterInstance.local_temp(sys.argv[3]) as instance:
        done = dg.execute_job(dg.reconstructable(job), instance, raise_on_error=False)
        for event in done.all_events:
            if event.is_step_failure:
                print("FAILED", event.step_failure_data.error.message)
        print("SUCCESS" if done.success else "FAILURE")
"""


@pytest.mark.parametrize(
    ("planned", "outcome"),
    [
        ("here", "SUCCESS"),
        ("elsewhere", "FAILED This step of flights was planned for the environment 0123456789ab and finds itself in"),
    ],
)
def test_a_step_starts_only_where_it_was_planned_for(planned: str, outcome: str, tmp_path: Path) -> None:
    (tmp_path / "planned_job.py").write_text(JOB)
    trace = tmp_path / "trace"
    done = subprocess.run(
        [sys.executable, "planned_job.py", str(trace), planned, str(tmp_path)],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HEADRACE_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in done.stdout, done.stdout + done.stderr[-3000:]
    assert trace.exists() == (planned == "here")
