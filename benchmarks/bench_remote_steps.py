"""What it costs a run worker to know how two hundred steps elsewhere are; nobody else has a backend for AWS Batch."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.interleave import BenchmarkError, Comparison, Sample
from benchmarks.remote_steps import FOLDER_VARIABLE, STEPS
from tests.platform_core.compute.backends.batch.double import Double
from tests.platform_core.compute.backends.batch.pretended import Script
from tests.platform_core.compute.backends.batch.world import S3

WINDOW = 20.0  # seconds for which nothing happens
MOST_MEMORY = 300  # MB
STEPS_PER_CALL = 10
POLL = 2.0  # seconds between two looks of the backend while there is news; more while there is none
PATIENCE = 300.0
ROUNDS = 3
SUBJECT, REFERENCE = "a run worker of 200 steps elsewhere", "a tenth of one processor"


def main() -> Comparison:
    samples = [_measured() for _ in range(ROUNDS)]
    return Comparison(
        claim=f"Watching {STEPS} steps elsewhere takes less than a tenth of a processor and {MOST_MEMORY} MB, with at"
        f" most one call for {STEPS_PER_CALL} steps and look (seconds are of a processor, in {WINDOW:g} s)",
        subject=SUBJECT,
        reference=REFERENCE,
        target=1.0,
        samples={SUBJECT: samples, REFERENCE: [Sample(WINDOW / 10, WINDOW / 10)] * ROUNDS},
    )


@dataclass(frozen=True)
class _RunWorker:
    process: "subprocess.Popen[bytes]"

    @property
    def cpu(self) -> float:
        """Seconds of a processor that it took so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")

    @property
    def most_memory(self) -> int:
        """MB."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024


def _measured() -> Sample:
    with S3() as s3, tempfile.TemporaryDirectory() as folder, _double(s3) as double:
        environment = {**os.environ, **s3.variables, **_addresses(double), **_home(Path(folder))}
        environment[FOLDER_VARIABLE] = f"s3://{s3.new_bucket()}/compute"
        worker = _RunWorker(subprocess.Popen([sys.executable, "-m", "benchmarks.remote_steps"], env=environment))
        _until(lambda: len(double.jobs) == STEPS, worker)
        time.sleep(2 * POLL)  # until all of them were seen running
        cpu, calls = worker.cpu, double.calls.total()
        time.sleep(WINDOW)
        sample = worker.cpu - cpu
        _check(worker, double.calls.total() - calls)
        worker.process.terminate()  # which cancels the run, and with it all jobs
        worker.process.wait(PATIENCE)
        if left := sum(job.status == "RUNNING" for job in double.jobs.values()):
            raise BenchmarkError(f"{left} of {STEPS} steps run on after the run was cancelled.")
        return Sample(sample, sample)


def _check(worker: _RunWorker, calls: int) -> None:
    print(f"{calls} calls in {WINDOW:g} s, {worker.most_memory} MB")
    if worker.most_memory > MOST_MEMORY:
        raise BenchmarkError(f"The run worker took {worker.most_memory} MB, of at most {MOST_MEMORY}.")
    if calls > (most := STEPS / STEPS_PER_CALL * WINDOW / POLL):
        raise BenchmarkError(f"The run worker made {calls} calls, of at most {most:g}.")


@contextmanager
def _double(s3: S3) -> Iterator[Double]:
    double = Double(environment=s3.variables, plan=lambda _request, _index: Script(running=PATIENCE))
    yield double
    double.close()


def _addresses(double: Double) -> Mapping[str, str]:
    return {"AWS_ENDPOINT_URL_BATCH": double.url, "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": double.url}


def _home(folder: Path) -> Mapping[str, str]:
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return {"DAGSTER_HOME": str(folder), "HEADRACE_HOME": str(folder)}


def _until(condition: Callable[[], bool], worker: _RunWorker) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if worker.process.poll() is not None or time.monotonic() > end:
            raise BenchmarkError("The run worker did not start the steps.")
        time.sleep(0.1)
