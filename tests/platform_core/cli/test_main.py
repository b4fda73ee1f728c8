"""The command knows every verb, and loads only the one that is called."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from platform_core.cli.main import VERBS, headrace


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_says_what_it_does_with_an_example(verb: str) -> None:
    told = CliRunner().invoke(headrace, [verb, "--help"])
    assert told.exit_code == 0
    assert told.output.startswith(f"Usage: headrace {verb}")
    assert f"headrace {verb}" in told.output.partition("\n")[2] or "Commands:" in told.output


def test_a_verb_loads_nothing_of_the_others() -> None:
    code = "import sys, platform_core.cli.main; assert not {'sqlalchemy', 'polars'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_no_verb_is_misuse() -> None:
    assert CliRunner().invoke(headrace, ["nonsense"]).exit_code == 2
