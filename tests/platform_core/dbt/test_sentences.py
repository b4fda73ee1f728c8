"""What dbt and DuckDB say, with the place where it is to be mended."""

from pathlib import Path

import pytest

from platform_core.dbt.sentences import of_node, of_project


def test_a_line_that_dbt_states_is_taken(tmp_path: Path) -> None:
    said = "Encountered an error: Compilation Error in model a (models/shop/a.sql) unexpected '}' line 2 from {{ ref }"
    told = of_project(said, tmp_path)
    assert told == "Compilation Error in model a (models/shop/a.sql:2) unexpected '}' line 2 from {{ ref }"


def test_a_file_that_is_gone_has_no_line(tmp_path: Path) -> None:
    said = "Model 'model.headrace.a' (models/a.sql) depends on a node named 'b' which was not found"
    assert of_project(said, tmp_path) == said


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            'Runtime Error in model a (a.sql)\n  Parser Error: near "fro"\n  \n  LINE 7: fro  here\n          ^',
            'a (a.sql:2): Parser Error: near "fro"',
        ),
        ("Runtime Error in model a (a.sql)\n  Catalog Error: no table", "a (a.sql): Catalog Error: no table"),
        ("Got 3 results, configured to fail if != 0", "a (a.sql): Got 3 results, configured to fail if != 0"),
    ],
)
def test_the_line_of_the_file_and_not_of_the_compiled_sql_is_told(message: str, told: str) -> None:
    assert of_node("a", "a.sql", "select 1\nfro  here", message) == told
