"""Dagster instances in files. To make their databases takes half a second, to copy them a tenth."""

import shutil
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg


def new_instance(home: Path, **settings: Any) -> AbstractContextManager[dg.DagsterInstance]:
    """An instance that nothing happened in, with these settings over Dagster's own."""
    shutil.copytree(_made().name, home, dirs_exist_ok=True)
    return dg.instance_for_test(temp_dir=str(home), overrides=settings)


@lru_cache
def _made() -> "TemporaryDirectory[str]":
    """Gone when this process ends."""
    folder = TemporaryDirectory(prefix="headrace-instance-")
    with dg.instance_for_test(temp_dir=folder.name) as instance:
        instance.get_runs()
    return folder
