"""The notebook to work at an asset in: its code is executed here, as a kernel would."""

from typing import Any

import polars as pl
import pytest

from platform_core import client
from platform_core.errors import NotFoundError
from platform_core.runner.notebook import notebook_of
from tests.platform_core.runner.locations import flights, located, planes
from tests.platform_core.runner.test_trying import WORLD, rows
from tests.platform_core.runs import run


def executed(content: dict[str, Any]) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            exec(cell["source"].removesuffix("\nvalue"), names)
    return names


def test_the_inputs_are_loaded_and_the_code_can_be_changed() -> None:
    run(rows)
    told = notebook_of(WORLD, "forest", "")
    names = executed(told["notebook"])
    assert names["value"] == {"depth": 4, "rows": 3}
    loads = next(cell["source"] for cell in told["notebook"]["cells"] if "client.load" in cell["source"])
    assert f"t/rows@{client.version('t/rows').id}" in loads
    assert "@model" not in str(told["notebook"])
    assert "def forest(" in str(told["notebook"])


def test_partitions_are_those_of_the_step() -> None:
    run(planes)
    run(flights, of="jan..feb")
    names = executed(notebook_of(located(), "features", "feb")["notebook"])
    assert names["value"].equals(pl.DataFrame({"month": ["feb"]}))


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(NotFoundError, match="t/rows"):
        notebook_of(WORLD, "forest", "")
    with pytest.raises(NotFoundError, match="Did you mean forest"):
        notebook_of(WORLD, "forrest", "")
