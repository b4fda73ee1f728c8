"""pandera for polars does not bring pandas along, and everything of pandera is there all the same."""

import subprocess
import sys

import pytest

LIGHTLY = """
import sys
from platform_core.light_pandera import import_pandera_lightly
import_pandera_lightly()
import polars as pl
import pandera.polars as pa
class Rows(pa.DataFrameModel):
    number: int = pa.Field(ge=0)
Rows.to_schema()
assert "pandas" not in sys.modules
"""
PANDAS = """
import pandas as pd, pandera.errors, pandera.pandas as pp
class Frame(pp.DataFrameModel):
    number: int = pp.Field(ge=0)
Frame.validate(pd.DataFrame({"number": [1]}))
try:
    Frame.validate(pd.DataFrame({"number": [-1]}))
except pandera.errors.SchemaError:
    print("refused")
"""


def printed(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "first",
    [
        "import pandera.pandas",
        "import pandera; pandera.DataFrameModel",
        "from pandera.typing import DataFrame, Series",
        "from pandera.api.pandas.model import DataFrameModel",
    ],
)
def test_what_is_for_pandas_works_whichever_way_it_is_reached(first: str) -> None:
    assert printed(f"{LIGHTLY}\n{first}\n{PANDAS}") == "refused"


def test_rules_for_polars_hold_before_and_after_pandas_came() -> None:
    refuses = """
import pandera.errors
try:
    Rows.validate(pl.DataFrame({"number": [-1]}))
except pandera.errors.SchemaError:
    print("refused")
"""
    assert printed(f"{LIGHTLY}\n{refuses}\nimport pandera.pandas\n{refuses}").split() == ["refused", "refused"]


def test_a_name_that_pandera_does_not_have_is_missing_as_ever() -> None:
    code = f"{LIGHTLY}\nimport pandera\nprint(hasattr(pandera, '__nothing__'), hasattr(pandera, 'nothing'))"
    assert printed(code) == "False False"


@pytest.mark.parametrize("before", ["import pandas", "import pandera"])
def test_a_process_that_has_either_already_is_left_alone(before: str) -> None:
    code = f"{before}\nimport sys\nfrom platform_core.light_pandera import import_pandera_lightly\n"
    assert (
        printed(f"{code}found = list(sys.meta_path)\nimport_pandera_lightly()\nprint(found == sys.meta_path)") == "True"
    )
