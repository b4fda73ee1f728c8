"""The run worker's tags tell which process it is, and whether it still is."""

import os
import subprocess
import sys
from dataclasses import replace

from platform_core.compute.run_worker import WORKER_TAG, RunWorker, this_command


def test_a_run_worker_is_read_from_its_tags() -> None:
    worker = this_command()
    assert (worker.by, worker.pid) == ("command", os.getpid())
    assert RunWorker.from_tags(worker.tags | {"other": "tag"}) == worker
    assert RunWorker.from_tags({}) is None
    assert set(worker.tags) == {WORKER_TAG}


def test_it_is_alive_while_that_very_process_is() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    worker = RunWorker.of(process.pid, "launcher")
    assert worker.is_alive
    assert not replace(worker, started=worker.started - 1).is_alive  # another process with the same number
    assert not replace(worker, host="elsewhere").is_alive
    process.kill()
    process.communicate()
    assert not worker.is_alive


def test_a_process_that_has_ended_already_is_not_alive() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    assert not RunWorker.of(process.pid, "launcher").is_alive
