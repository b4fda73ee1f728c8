"""Why a notebook did not reach its end, in a sentence with the author's own cell and line."""

import re
from collections.abc import Mapping
from typing import Any

from platform_core.notebooks.cells import OURS, Cell, Notebook, failed_cell, line_of, plain, tags_of

_HELPER = re.compile(r"^File (?P<file>\S*code_locations/\S+?):(?P<line>\d+), in ", re.MULTILINE)
LONGEST = 150


def failure_in(name: str, notebook: Notebook, stopped: str) -> tuple[str, int] | None:
    """The sentence, and which code cell from the top failed; None where nothing did.

    Args:
        stopped: why the kernel ended by itself, if it did.
    """
    found = failed_cell(notebook)
    if found is None:
        number = _reached(notebook)
        return (
            (f"{name}: its kernel ended while code cell {number} ran ({_short(stopped)})", number) if stopped else None
        )
    number, cell, error = found
    said = _short(f"{error['ename']}: {error['evalue']}".rstrip(": "))
    if OURS in tags_of(cell):
        return _about_result(name, error, said), 0
    return f"{name}, code cell {number}{_place(cell, error)}: {said}", number


def _place(cell: Cell, error: Mapping[str, Any]) -> str:
    line = line_of(cell, error)
    helpers = _HELPER.findall(plain("\n".join(error["traceback"])))
    where = f", line {line[0]} (`{line[1][:60]}`)" if line else ""
    return where + (f", in {helpers[-1][0]}:{helpers[-1][1]}" if helpers else "")


def _about_result(name: str, error: Mapping[str, Any], said: str) -> str:
    """The last cell is ours: all that it can miss is the variable that it hands over."""
    missing = re.fullmatch(r"name '(\w+)' is not defined", error["evalue"])
    if missing:
        return f"{name} never sets {missing[1]}, which is what its asset keeps"
    return f"What {name} gives cannot be kept: {said}"


def _reached(notebook: Notebook) -> int:
    """Which code cell was the last to be started."""
    begun = [cell for cell in notebook["cells"] if cell.get("metadata", {}).get("papermill", {}).get("start_time")]
    theirs = [cell for cell in begun if cell["cell_type"] == "code" and OURS not in tags_of(cell)]
    return len(theirs)


def _short(said: str) -> str:
    first = said.strip().splitlines()[0] if said.strip() else "it says nothing"
    return first if len(first) <= LONGEST else f"{first[: LONGEST - 1]}…"
