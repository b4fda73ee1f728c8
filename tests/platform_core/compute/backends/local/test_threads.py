"""A process is forked only while no thread is in the way."""

import subprocess
import sys

import pytest


def in_the_way(source: str) -> str:
    code = (
        "from platform_core.compute.backends.local.threads import threads_in_the_way\n"
        f"{source}\nprint(threads_in_the_way())\nimport os, sys; sys.stdout.flush(); os._exit(0)"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    "source",
    [
        "",
        "import polars",
        "import pyarrow; pyarrow.array([1]).sum()",
        "import numpy; numpy.ones((200, 200)) @ numpy.ones((200, 200))",
        "import threading; t = threading.Thread(target=print, args=('',)); t.start(); t.join()",
    ],
)
def test_what_only_imports_or_looks_after_its_threads_itself_is_not_in_the_way(source: str) -> None:
    assert in_the_way(source) == "[]"


def test_a_thread_of_python_is_in_the_way() -> None:
    source = "import threading; threading.Thread(target=threading.Event().wait, name='poller').start()"
    assert in_the_way(source) == "['poller']"


def test_a_pool_that_was_used_is_in_the_way() -> None:
    frame = "polars.DataFrame({'a': range(1000), 'b': [1, 2] * 500})"
    assert "polars-0" in in_the_way(f"import polars; {frame}.group_by('b').agg(polars.col('a').sum())")
