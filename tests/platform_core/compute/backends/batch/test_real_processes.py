"""The double with real processes: what a step finds in its environment, and how it really ends."""

import json
import sys

import pytest

from platform_core.compute.attempts import Order
from platform_core.compute.spec import Compute
from tests.platform_core.compute.backends.batch.conftest import Make
from tests.platform_core.compute.backends.batch.double import Double
from tests.platform_core.compute.backends.batch.world import News, an_order, partitions

# A stand-in for the worker that tells how it found its step.
TELLS = """
import json, os, sys
from platform_core.compute.payloads import take_payload
named = {name: os.environ.get(name) for name in ("GREETING", "PASSWORD", "AWS_BATCH_JOB_ID")}
print(json.dumps({"step": take_payload(), **named}), flush=True)
sys.exit(9)
"""


@pytest.fixture
def real(double: Double) -> Double:
    double.run, double.python = True, sys.executable
    double.environment = {**double.environment, "PYTHONPATH": ":".join(path for path in sys.path if path)}
    return double


def test_every_child_of_an_array_finds_its_own_step(real: Double, make: Make) -> None:
    orders = [*partitions(4), an_order("alone"), an_order("long", payload="y" * 10_000)]
    told = [json.loads(log) for log in _logs(make, TELLS, orders)]
    assert [each["step"] for each in told] == [order.payload for order in orders]
    assert {each["GREETING"] for each in told} == {"hello"}
    assert len({each["AWS_BATCH_JOB_ID"] for each in told}) == 6


def test_a_secret_arrives(real: Double, make: Make) -> None:
    arn = "arn:aws:secretsmanager:us-east-1:1:secret:p"
    real.secrets = {arn: "s3cret"}
    (log,) = _logs(make, TELLS, [an_order(secrets={"PASSWORD": arn})])
    assert json.loads(log)["PASSWORD"] == "s3cret"


def test_too_much_memory_is_told_with_the_limit(real: Double, make: Make) -> None:
    code = "held = bytearray(300 << 20); import time; time.sleep(30)"
    backend = make(command=("python", "-c", code))
    order = an_order(compute=Compute(memory="100MiB"))
    backend.launch([order])
    ending = News(backend).ending(order)
    assert (ending.kind, ending.sentence) == (
        "memory",
        "killed for memory at 100 MiB of 100 MiB: ask for more with Compute(memory=...)",
    )


def test_a_running_process_is_ended_on_request(real: Double, make: Make) -> None:
    backend = make(command=("python", "-c", "import time; time.sleep(60)"))
    news = News(backend)
    order = an_order()
    backend.launch([order])
    news.until(lambda: news.states(order) == ["running"])
    backend.terminate([order.attempt])
    assert news.ending(order).kind == "cancelled"


def test_the_worker_itself_reads_its_step_from_the_object(real: Double, make: Make) -> None:
    """The step is nonsense, which only a worker that got it can say."""
    backend = make()
    order = an_order(payload="no step at all " * 1000)
    backend.launch([order])
    ending = News(backend).ending(order, seconds=60)
    assert ending.kind == "failed"
    assert "unpack" in ending.log


def _logs(make: Make, code: str, orders: list[Order]) -> list[str]:
    backend = make(command=("python", "-c", code))
    backend.launch(orders)
    return [ending.log for ending in News(backend).endings(orders, seconds=60)]
