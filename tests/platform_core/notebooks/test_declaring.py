"""An asset whose body is a notebook, in a real kernel: what it reads, what it gives, and what it says when it fails."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pandera.polars as pa
import polars as pl
import pytest

from platform_core import client, fact, feature, model, notebook
from platform_core.catalog.catalog import Catalog
from platform_core.errors import DefinitionError
from platform_core.namespaces import Namespace
from platform_core.notebooks.cells import code, new_notebook, text
from tests.platform_core.runs import metadata, run, sentence

pytest.importorskip("papermill")
HERE = Path(__file__).parent
TESS = Namespace.parse("user/tess")


@fact(name="rows")
def rows() -> pl.DataFrame:
    return pl.DataFrame({"a": [1, 2, 3]})


def spoken(name: str, *cells: Any) -> Path:
    """A notebook beside this module, for one test: paths count from the module of the function."""
    path = HERE / f"{name}.ipynb"
    path.write_text(json.dumps(new_notebook(cells)))
    return path


@pytest.fixture
def written(request: pytest.FixtureRequest):
    made: list[Path] = []

    def write(*cells: Any) -> str:
        path = spoken(f"{request.node.name}_{len(made)}", *cells)
        made.append(path)
        return path.name

    yield write
    for path in made:
        path.unlink()


class Plan(dg.Config):
    factor: int = 1
    label: str = "plain"


class Scaled(pa.DataFrameModel):
    a: int = pa.Field(ge=0)
    label: str


def test_a_notebook_computes_like_a_function_and_its_execution_is_kept(written, catalog: Catalog) -> None:
    path = written(
        text("# Scaled"),
        code("rows = None  # stands in while one works at it", "inputs"),
        code("factor = 7\nlabel = 'none'", "parameters"),
        code("import polars as pl\nfrom platform_core import log_metric\nprint('hello from the kernel')"),
        code("scaled = rows.with_columns(pl.col('a') * factor, label=pl.lit(label))\nlog_metric('total', 12.0)"),
    )

    @feature(schema=Scaled)
    @notebook(path)
    def scaled(rows: pl.DataFrame, config: Plan) -> pl.DataFrame:
        """Rows, larger."""
        raise NotImplementedError

    done = dg.materialize(
        [rows, scaled],
        resources={"io_manager": dg_manager()},
        run_config={"ops": {"scaled": {"config": {"factor": 2, "label": "twice"}}}},
    )
    assert done.success
    assert client.load("scaled").to_dict(as_series=False) == {"a": [2, 4, 6], "label": ["twice"] * 3}
    kept = client.version("scaled")
    assert kept.metrics["total"] == 12.0
    assert kept.provenance.parameters == {"factor": 2, "label": "twice"}
    assert [item.version for item in kept.provenance.inputs] == [client.version("rows").id]
    executed = client.notebook("scaled")
    outputs = [o.get("text") for cell in executed["cells"] for o in cell.get("outputs", ())]
    assert ["hello from the kernel\n"] in outputs or "hello from the kernel\n" in outputs
    sources = ["".join(cell["source"]) for cell in executed["cells"]]
    assert any(f"rows@{client.version('rows').id}" in source for source in sources)  # anybody can execute it again
    assert not any("stands in" in source or "platform_core.notebooks" in source for source in sources)
    told = metadata(done, scaled)
    assert "hello from the kernel" in told["headrace/notebook"]
    assert Path(told["headrace/executed_notebook"]).read_bytes().startswith(b"{")

    # What checks refuse is refused of a notebook, too.
    refused = dg.materialize(
        [rows, scaled], selection=[scaled], resources={"io_manager": dg_manager()}, raise_on_error=False,
        run_config={"ops": {"scaled": {"config": {"factor": -2}}}},
    )  # fmt: skip
    assert not refused.success
    assert "scaled was not published" in sentence(refused)


def dg_manager() -> Any:
    from platform_core.io_manager import HeadraceIOManager

    return HeadraceIOManager()


def test_a_cell_that_fails_is_told_by_its_number_and_line_and_the_notebook_is_kept(written, catalog: Catalog) -> None:
    path = written(text("# Broken"), code("share = 0"), code("\nwhole = rows.height\nratio = whole / share\n"))

    @model
    @notebook(path)
    def ratio(rows: pl.DataFrame) -> float:
        """A ratio."""
        raise NotImplementedError

    done = run(rows, ratio)
    said = sentence(done)
    assert said.startswith(
        f"{path}, code cell 2, line 3 (`ratio = whole / share`): ZeroDivisionError: division by zero."
    )
    assert "kept for a look" in said
    version = said.rpartition("@")[2].rstrip(".")
    executed = client.notebook(f"ratio@{version}")
    assert executed["cells"][-1]["outputs"][0]["ename"] == "ZeroDivisionError"
    assert catalog.resolve(TESS, "ratio") == {}


def test_without_a_result_the_executed_notebook_is_the_value(written) -> None:
    path = written(code("rows.select(pl.len()).collect().item()"))

    @feature
    @notebook(path)
    def report(rows: pl.LazyFrame | None):
        """A report."""

    done = run(rows, report)
    assert done.success, sentence(done)
    assert client.load("report")["cells"][-1]["outputs"][0]["data"]["text/plain"] == ["3"]


def version_of(path: str) -> str:
    @feature
    @notebook(path)
    def same(rows: pl.DataFrame) -> int:
        """The same."""
        raise NotImplementedError

    return str(next(iter(same.specs)).code_version)


def test_the_code_version_follows_the_code_of_cells_alone(written) -> None:
    first = version_of(written(text("# A"), code("x = 1  # note\nsame = x")))
    output = {"output_type": "stream", "name": "stdout", "text": "1"}
    again = {**code("x = 1\nsame = x"), "outputs": [output], "execution_count": 4, "metadata": {"collapsed": True}}
    assert version_of(written(text("# B"), again)) == first
    assert version_of(written(code("x = 2\nsame = x"))) != first
    assert version_of(written(code("%time x = 1\nsame = x"))) != first


def test_what_is_no_notebook_is_refused_when_definitions_load(written) -> None:
    def nothing() -> None: ...

    with pytest.raises(DefinitionError, match="There is no notebook"):
        notebook("missing.ipynb")(nothing)

    class Door(dg.ConfigurableResource):
        name: str = "x"

    def taking(door: Door) -> None: ...

    with pytest.raises(DefinitionError, match="cannot be given the resource door"):
        notebook(written(code("1")))(taking)
