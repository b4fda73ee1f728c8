"""Executes a notebook in a kernel of this very interpreter, with papermill."""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from platform_core.errors import UnsupportedValueError
from platform_core.notebooks.cells import Notebook, for_readers
from platform_core.notebooks.failing import failure_in
from platform_core.notebooks.inside import FORMAT, VALUE, read_record
from platform_core.settings import Settings, as_if_in, current_settings
from platform_core.store.objects import read_object
from platform_core.store.reading import read_table
from platform_core.tracking.record import Record

STARTS_WITHIN = 300  # seconds; a kernel on a loaded machine


@dataclass(frozen=True)
class Failure:
    """Why a notebook did not reach its end. `cell`: which code cell from the top; 0 where none is to blame."""

    sentence: str
    cell: int


@dataclass(frozen=True)
class Outcome:
    """What came of a notebook: a value and a record, or a failure. The notebook is kept in either case."""

    notebook: Notebook
    seconds: float
    value: Any = None
    record: Record | None = None
    failure: Failure | None = None


def execute(name: str, notebook: Notebook, parameters: Mapping[str, Any], folder: Path) -> Outcome:
    """Executes a notebook whose last cell calls `inside.end` with the folder.

    Args:
        name: of the notebook, for sentences.
        parameters: what its cell tagged `parameters` has other values for.
    """
    started = time.monotonic()
    done, stopped = _run(notebook, parameters, folder / "executed.ipynb")
    seconds = time.monotonic() - started
    if failed := failure_in(name, done, stopped):
        return Outcome(for_readers(done), seconds, failure=Failure(*failed))
    return Outcome(for_readers(done), seconds, _value(folder), read_record(folder))


def _run(notebook: Notebook, parameters: Mapping[str, Any], target: Path) -> tuple[Notebook, str]:
    """The notebook as far as it was executed, and why the kernel ended before, if it did."""
    papermill, nbformat, died = _libraries()
    from platform_core.notebooks.kernel import OwnKernel

    given = nbformat.from_dict(json.loads(json.dumps(notebook)))
    stopped = ""
    with _surroundings(current_settings()):
        try:
            papermill.execute_notebook(
                given,
                str(target),
                parameters=dict(parameters),
                kernel_name="python3",
                language="python",
                progress_bar=False,
                start_timeout=STARTS_WITHIN,
                stdout_file=sys.stdout,
                stderr_file=sys.stderr,
                kernel_manager_class=OwnKernel,
            )
        except papermill.PapermillExecutionError:
            pass  # the notebook itself says which cell, and in which line
        except died as error:
            stopped = str(error) or "it ended"
    executed: Notebook = json.loads(target.read_text())
    return executed, stopped


def _libraries() -> tuple[Any, Any, type[Exception]]:
    """papermill, nbformat, and what is raised when a kernel ends by itself.

    Raises:
        UnsupportedValueError: this environment does not have them.
    """
    try:
        import ipykernel  # noqa: F401
        import nbformat
        import papermill
        from nbclient.exceptions import DeadKernelError
    except ImportError as error:
        raise UnsupportedValueError(
            'Notebooks are executed by papermill, which this environment does not have: add the extra "notebooks" to'
            ' "headrace[...]" in the pyproject.toml of the location, then uv lock and uv sync.'
        ) from error
    logging.getLogger("papermill").setLevel(logging.ERROR)
    return papermill, nbformat, DeadKernelError


@contextmanager
def _surroundings(settings: Settings) -> Iterator[None]:
    """The kernel imports what its step imports, from the same folders, and nothing from a person's own Jupyter."""
    with tempfile.TemporaryDirectory(prefix="hr-") as folder:  # short, as names of sockets are cut at 107 characters
        own = dict.fromkeys(["JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"], folder)
        place = {"HEADRACE_REPOSITORY": str(settings.repository), "PYTHONPATH": _python_path(settings)}
        with as_if_in({**own, **place}):
            yield


def _python_path(settings: Settings) -> str:
    return ":".join(dict.fromkeys([str(settings.repository), *filter(None, sys.path)]))


def _value(folder: Path) -> Any:
    """What the notebook gave; None where it was asked for nothing."""
    if not (folder / FORMAT).exists():
        return None
    format: Any = (folder / FORMAT).read_text()
    paths = sorted((folder / VALUE).iterdir())
    if format == "parquet":
        return read_table(paths, pa.Table)
    return read_object(paths[0], format)


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder for what a kernel hands over."""
    with tempfile.TemporaryDirectory(prefix="headrace-notebook-") as folder:
        yield Path(folder)
