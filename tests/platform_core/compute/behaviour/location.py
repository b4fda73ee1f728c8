"""The location whose steps run on every backend: what each of them does is in its name."""

import hashlib
import itertools
import os
import signal
import subprocess
import sys
import time

import dagster as dg
import polars as pl

from platform_core import Compute, fact, feature, log_metric, model, notebook
from platform_core.compute.executor import routing_executor
from platform_core.io_manager import HeadraceIOManager
from platform_core.trials.job import sweep_job
from tests.platform_core.compute.behaviour.notes import FOLDER_VARIABLE, beat_until, count, note
from tests.platform_core.compute.behaviour.table import table

SHARE = 0.5  # of a processor, so that several steps fit into a small machine
TIME = 4  # seconds for steps that never end
TOO_DEEP = 3
FOREVER = "forever"  # nobody ever makes a file of this name
PARTS = dg.StaticPartitionsDefinition([f"part-{number:03}" for number in range(100)])
WORDS = "größer als 中文, 🚀 und \u202ertl"
CHATTER = 10 * 1024 * 1024  # bytes


@fact(compute=Compute(cpu=SHARE))
def numbers() -> pl.DataFrame:
    return pl.DataFrame({"number": range(1000)})


@feature(compute=Compute(cpu=SHARE))
def doubled(numbers: pl.DataFrame) -> pl.DataFrame:
    return numbers.with_columns(pl.col("number") * 2)


@feature(compute=Compute(cpu=SHARE))
@notebook("reported.ipynb")
def reported(numbers: pl.DataFrame) -> int:  # type: ignore[empty-body]
    """Counts rows in a kernel of its own."""


@fact(compute=Compute(cpu=SHARE))
def surroundings() -> dict[str, str]:
    """What a step finds around it."""
    secret = os.environ.get("BEHAVIOUR_SECRET", "")
    return {
        "python": sys.version,
        "greeting": os.environ.get("BEHAVIOUR_GREETING", ""),
        "secret": hashlib.sha256(secret.encode()).hexdigest(),
        "step": os.environ.get("DAGSTER_RUN_STEP_KEY", ""),
        "variables": " ".join(sorted(os.environ)),
    }


@fact(compute=Compute(cpu=SHARE))
def chatter() -> int:
    """Prints ten megabytes, then a last line that is not plain."""
    line = "x" * 1023
    for _ in range(CHATTER // 1024):
        print(line)
    print(WORDS)
    print(WORDS, file=sys.stderr)
    return CHATTER


@fact(compute=Compute(cpu=SHARE))
def faulty() -> int:
    nothing: dict[str, int] = {}
    return nothing["flights"]


@fact(compute=Compute(cpu=SHARE, timeout=TIME))
def endless_in_python() -> int:
    beat_until("endless_in_python", FOREVER)
    return 0


@fact(compute=Compute(cpu=SHARE, timeout=TIME))
def endless_in_c() -> int:
    """No signal is ever looked at in there."""
    note("endless_in_c")
    return sum(itertools.repeat(0))


@fact(compute=Compute(cpu=SHARE, timeout=TIME))
def endless_in_a_child() -> int:
    code = "from tests.platform_core.compute.behaviour.notes import beat_until; beat_until('endless_in_a_child', '-')"
    return subprocess.run([sys.executable, "-c", code], check=True).returncode


@fact(compute=Compute(cpu=SHARE, memory="300MiB"))
def greedy() -> int:
    """Fits at its second start only, with twice the memory."""
    count("greedy")
    held = bytearray(350 << 20)
    held[::4096] = b"x" * len(held[::4096])
    time.sleep(0.5)
    return len(held)


@fact(compute=Compute(cpu=SHARE))
def killed_once() -> int:
    tries = count("killed_once")
    if tries == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return tries


@fact(compute=Compute(cpu=SHARE, retries=2, retry_delay=0.1))
def second_try() -> int:
    tries = count("second_try")
    if tries == 1:
        raise RuntimeError("not yet")
    return tries


@fact(compute=Compute(cpu=SHARE, on_failure="skip"))
def optional() -> int:
    tries = count("optional")
    if tries > 1:
        raise RuntimeError("the source is down")
    return tries


@feature(compute=Compute(cpu=SHARE))
def after_optional(optional: int) -> int:
    return 100 + optional


@fact(compute=Compute(cpu=SHARE), pool="one_at_a_time")
def alone() -> int:
    _be_alone()
    return 1


@fact(compute=Compute(cpu=SHARE), pool="one_at_a_time")
def also_alone() -> int:
    _be_alone()
    return 1


def _be_alone() -> None:
    note("alone", "in")
    time.sleep(0.5)
    note("alone", "out")


@fact(compute=Compute(cpu=1000, profile="small"))
def too_large() -> int:
    return 1


@fact(compute=Compute(cpu=SHARE))
def lasting() -> int:
    """Goes on, together with a child, until the test lets it end."""
    note("lasting")
    code = "from tests.platform_core.compute.behaviour.notes import beat_until; beat_until('child', 'end')"
    child = subprocess.Popen([sys.executable, "-c", code])
    beat_until("heart", "end")
    return child.wait()


@fact(compute=Compute(cpu=SHARE))
def ends_unseen() -> int:
    """Ends while no run worker looks."""
    note("ends_unseen")
    beat_until("unseen", "end_unseen")
    return 1


@fact(compute=Compute(cpu=SHARE))
def moving() -> int:
    """Of which others write versions."""
    return 0


@feature(compute=Compute(cpu=SHARE))
def after_lasting(lasting: int, ends_unseen: int, moving: int) -> int:
    note("after_lasting", str(moving))
    return lasting + ends_unseen


@fact(compute=Compute(cpu=SHARE), partitions_def=PARTS)
def parts(context: dg.AssetExecutionContext) -> str:
    note("parts", context.partition_key)
    return str(context.partition_key)


class Depth(dg.Config):
    depth: int = 2


@model(compute=Compute(cpu=SHARE))
def tuned(numbers: pl.DataFrame, config: Depth) -> dict[str, int]:
    """One of whose trials raises."""
    note("tuned", str(config.depth))
    if config.depth == TOO_DEEP:
        raise ValueError("three is too many")
    log_metric("auc", config.depth / 10)
    return {"rows": numbers.height, "depth": config.depth}


def _ordered(name: str, priority: int) -> dg.AssetsDefinition:
    @fact(name=name, compute=Compute(cpu=SHARE), op_tags={"dagster/priority": str(priority)})
    def ordered() -> int:
        note("order", name)
        return priority

    return ordered


def _placed(backend: str) -> dg.AssetsDefinition:
    @fact(name=f"on_{backend}", compute=Compute(cpu=SHARE, profile=backend))
    def placed() -> str:
        return backend

    return placed


@dg.op(out=dg.DynamicOut(int))
def several() -> list[dg.DynamicOutput[int]]:
    return [dg.DynamicOutput(number, mapping_key=f"n{number}") for number in range(2, 4)]


@dg.op
def squared(number: int) -> int:
    return number**2


@dg.op
def summed(numbers: list[int]) -> int:
    note("summed", str(sum(numbers)))
    return sum(numbers)


@dg.job(resource_defs={"io_manager": dg.FilesystemIOManager(base_dir=dg.EnvVar(FOLDER_VARIABLE))})
def dynamic() -> None:
    summed(several().map(squared).collect())


ASSETS = [
    *(
        numbers,
        doubled,
        reported,
        surroundings,
        chatter,
        faulty,
        endless_in_python,
        endless_in_c,
        endless_in_a_child,
        greedy,
    ),
    *(killed_once, second_try, optional, after_optional, alone, also_alone, too_large, lasting),
    *(ends_unseen, moving, after_lasting, parts, tuned),
    *(_ordered(name, priority) for name, priority in (("low", -1), ("high", 1))),
    *(_placed(backend) for backend in ("local", "container", "kubernetes", "batch")),
]
RESOURCES = {"io_manager": HeadraceIOManager()}
defs = dg.Definitions(
    assets=ASSETS,
    jobs=[dynamic, sweep_job(ASSETS, RESOURCES)],
    resources=RESOURCES,
    executor=routing_executor(table()),
)
