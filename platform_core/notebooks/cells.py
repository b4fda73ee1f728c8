"""A notebook as data: its cells, and what is put between them. Format 4 of Jupyter, without its library."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from platform_core.errors import DefinitionError

Notebook = dict[str, Any]
Cell = dict[str, Any]

INPUTS, PARAMETERS = "inputs", "parameters"  # tags of cells that stand in while a person works at the notebook
OURS = "headrace"  # tag of cells that no reader needs
FORMAT = 4
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")  # colours of a terminal
_MAGIC = re.compile(r"^\s*[%!]", re.MULTILINE)
_LINE = re.compile(r"^\s*Cell In\[\d+\], line (\d+)", re.MULTILINE)


def read_notebook(path: Path) -> Notebook:
    """The notebook in a file.

    Raises:
        DefinitionError: there is none, or it is none of format 4.
    """
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise DefinitionError(f"There is no notebook {path}; its path counts from the module that names it.") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DefinitionError(f"{path} cannot be read as a notebook: {error}.") from error
    if not isinstance(content, dict) or content.get("nbformat") != FORMAT or "cells" not in content:
        raise DefinitionError(f"{path} is no notebook of format {FORMAT}; save it anew with a current Jupyter.")
    return content


def new_notebook(cells: Iterable[Cell]) -> Notebook:
    numbered = [{**cell, "id": f"cell-{number}"} for number, cell in enumerate(cells, 1)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"nbformat": FORMAT, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": numbered}


def code(source: str, *tags: str) -> Cell:
    told = {"tags": list(tags)} if tags else {}
    return {"cell_type": "code", "metadata": told, "source": source, "execution_count": None, "outputs": []}


def text(source: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def source_of(cell: Cell) -> str:
    """The text of a cell, which files hold as one or as lines."""
    return "".join(cell.get("source", ""))


def tags_of(cell: Cell) -> Sequence[str]:
    tags: Sequence[str] = cell.get("metadata", {}).get("tags", ())
    return tags


def is_code(cell: Cell) -> bool:
    return cell.get("cell_type") == "code"


def sources(notebook: Notebook, texts: bool) -> list[str]:
    """What a notebook computes: the code of its cells, without what stands in for the inputs of its asset.

    Args:
        texts: whether its texts count, too, as of a notebook that is kept as a report.
    """
    wanted = [cell for cell in notebook["cells"] if (is_code(cell) or texts) and INPUTS not in tags_of(cell)]
    return [source_of(cell) if is_code(cell) else json.dumps(source_of(cell)) for cell in wanted]


def without_magics(source: str) -> str:
    """Code as Python reads it: lines for IPython alone, such as `%timeit`, become comments."""
    return _MAGIC.sub("#", source)


def with_inputs(notebook: Notebook, before: Cell, after: Cell, inputs: Cell) -> Notebook:
    """The notebook with its inputs as its own first code, or in place of the cell tagged `inputs`, and two more cells.

    No output of an earlier execution is left.
    """
    cells = [_blank(cell) for cell in notebook["cells"]]
    place = next((n for n, cell in enumerate(cells) if INPUTS in tags_of(cell)), None)
    if place is not None:
        cells[place] = inputs
    else:
        cells.insert(next((n for n, cell in enumerate(cells) if is_code(cell)), len(cells)), inputs)
    every = [before, *cells, after]
    return {**notebook, "cells": [_with_id(cell, f"headrace-{n}") for n, cell in enumerate(every)], "nbformat_minor": 5}


def _with_id(cell: Cell, id: str) -> Cell:
    return cell if cell.get("id") else {**cell, "id": id}


def _blank(cell: Cell) -> Cell:
    return {**cell, "outputs": [], "execution_count": None} if is_code(cell) else cell


def for_readers(notebook: Notebook) -> Notebook:
    """An executed notebook without what only the platform needed."""
    cells = [cell for cell in notebook["cells"] if OURS not in tags_of(cell)]
    kept = {name: value for name, value in notebook["metadata"].items() if name != "papermill"}
    return {**notebook, "metadata": kept, "cells": cells}


def failed_cell(notebook: Notebook) -> tuple[int, Cell, Mapping[str, Any]] | None:
    """The cell that failed: which code cell of the author's it is, counted from the top, and its error."""
    number = 0
    for cell in notebook["cells"]:
        number += is_code(cell) and not {OURS, "injected-parameters"} & {*tags_of(cell)} and INPUTS not in tags_of(cell)
        for output in cell.get("outputs", ()):
            if output["output_type"] == "error":
                return number, cell, output
    return None


def line_of(cell: Cell, error: Mapping[str, Any]) -> tuple[int, str] | None:
    """The line of a cell that an error came from, and what it says; None where no line of the cell is to blame."""
    found = _LINE.findall(plain("\n".join(error["traceback"])))
    if not found:
        return None
    lines = source_of(cell).splitlines()
    empty = next((n for n, line in enumerate(lines) if line.strip()), 0)  # IPython counts from the first that is not
    number = int(found[-1]) + empty
    return (number, lines[number - 1].strip()) if number <= len(lines) else None


def plain(told: str) -> str:
    return _ESCAPES.sub("", told)


LONGEST_OUTPUT = 4_000  # characters; a longer one is cut
LARGEST = 2_000_000  # characters of a whole page; Dagster's event log holds it


def as_markdown(notebook: Notebook) -> str:
    """An executed notebook as a page: its texts, code, and what came of it, pictures among them."""
    page, size = [], 0
    for part in _parts(notebook):
        size += len(part)
        if size > LARGEST:
            page.append("… the rest is in the notebook itself.")
            break
        page.append(part)
    return "\n\n".join(page)


def _parts(notebook: Notebook) -> Iterator[str]:
    for cell in notebook["cells"]:
        if source := source_of(cell).strip():
            yield _fenced(source, "python") if is_code(cell) else source
        for output in cell.get("outputs", ()):
            yield from _shown(output)


def _shown(output: Mapping[str, Any]) -> Iterator[str]:
    data = {kind: "".join(value) for kind, value in output.get("data", {}).items() if isinstance(value, str | list)}
    if output["output_type"] == "error":
        yield _fenced(plain("\n".join(output["traceback"])))
    elif "text" in output:
        yield _fenced(plain("".join(output["text"])))
    elif "image/png" in data:
        yield f"![]({'data:image/png;base64,' + data['image/png'].replace(chr(10), '')})"
    elif "text/markdown" in data:
        yield data["text/markdown"]
    elif "text/plain" in data:
        yield _fenced(data["text/plain"])


def _fenced(told: str, language: str = "") -> str:
    """A text as it is, with a fence that it does not hold itself."""
    cut = told if len(told) <= LONGEST_OUTPUT else f"{told[:LONGEST_OUTPUT]}\n…"
    longest = max((len(run) for run in re.findall("`{3,}", cut)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{cut.rstrip()}\n{fence}"
