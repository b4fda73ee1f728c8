"""What a person is told of a notebook that did not reach its end."""

from typing import Any

from platform_core.notebooks.cells import INPUTS, OURS, code, new_notebook, text
from platform_core.notebooks.failing import failure_in


def failed(cell: dict[str, Any], name: str, value: str, *traceback: str) -> dict[str, Any]:
    error = {"output_type": "error", "ename": name, "evalue": value, "traceback": list(traceback)}
    return {**cell, "outputs": [error]}


def test_cells_are_counted_as_their_author_sees_them() -> None:
    cells = [code("", OURS), text("# Title"), code("", INPUTS), code("a = 1"), code("", "injected-parameters")]
    broken = failed(code("\n\nb = c"), "NameError", "name 'c' is not defined", "Cell In[4], line 1\x1b[0m\n  b = c")
    told, number = failure_in("n.ipynb", new_notebook([*cells, broken]), "") or ("", 0)
    assert (told, number) == ("n.ipynb, code cell 2, line 3 (`b = c`): NameError: name 'c' is not defined", 2)


def test_the_line_of_a_helper_is_told_as_well() -> None:
    trace = ["Cell In[2], line 1", "File /r/code_locations/flights/joins.py:12, in joined(rows)"]
    told, _ = failure_in("n.ipynb", new_notebook([failed(code("joined(1)"), "ValueError", "no", *trace)]), "") or (
        "",
        0,
    )
    assert (
        told == "n.ipynb, code cell 1, line 1 (`joined(1)`), in /r/code_locations/flights/joins.py:12: ValueError: no"
    )


def test_a_result_that_is_never_set_is_named() -> None:
    last = failed(code("end('/tmp', wanted=wanted)", OURS), "NameError", "name 'wanted' is not defined")
    told = failure_in("n.ipynb", new_notebook([code("a = 1"), last]), "")
    assert told == ("n.ipynb never sets wanted, which is what its asset keeps", 0)


def test_a_kernel_that_ends_is_told_with_the_cell_that_ran() -> None:
    begun = {**code("import os; os._exit(3)"), "metadata": {"papermill": {"start_time": "2026-11-21T20:00:00"}}}
    told = failure_in("n.ipynb", new_notebook([begun, code("1")]), "Kernel died\nmore")
    assert told == ("n.ipynb: its kernel ended while code cell 1 ran (Kernel died)", 1)
    assert failure_in("n.ipynb", new_notebook([code("1")]), "") is None
