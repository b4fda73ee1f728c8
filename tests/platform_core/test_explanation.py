"""One line for a person: what went wrong, and where in the team's code."""

from dataclasses import dataclass, field

import pytest

from platform_core.explanation import explain

TEAM = '  File "/repo/code_locations/flights/facts.py", line 17, in weather\n    return 1 / 0\n'
DEEPER = '  File "/repo/code_locations/flights/joins.py", line 99, in join\n    raise\n'
LIBRARY = '  File "/repo/code_locations/flights/.venv/lib/python3.11/site-packages/polars/x.py", line 3, in f\n    x\n'
DAGSTER = '  File "/opt/dagster/execute.py", line 1, in run\n    x\n'


@dataclass
class Serialized:
    """An error as Dagster keeps it."""

    message: str
    cls_name: str = "ValueError"
    stack: list[str] = field(default_factory=list)
    cause: "Serialized | None" = None


def test_what_the_code_said_itself_wins() -> None:
    assert explain(Serialized("other"), "Put the file there.") == "Put the file there."


def test_without_any_error_it_says_where_to_look() -> None:
    assert explain(None, None).endswith("the run's log in the UI has more.")


def test_the_innermost_cause_is_the_message() -> None:
    inner = Serialized("ZeroDivisionError: division by zero\n")
    wrapped = Serialized("DagsterExecutionStepExecutionError: Error occurred", cause=Serialized("Middle", cause=inner))
    assert explain(wrapped, None) == "ZeroDivisionError: division by zero"


def test_the_last_line_of_the_teams_code_is_named() -> None:
    error = Serialized("ValueError: no\n", stack=[DAGSTER, TEAM, DEEPER, LIBRARY])
    assert explain(error, None) == "ValueError: no (/repo/code_locations/flights/joins.py:99)"


def test_a_sentence_of_ours_is_told_without_its_class() -> None:
    assert explain(Serialized("platform_core.errors.FrozenError: It is loose.\n"), None) == "It is loose."


@pytest.mark.parametrize("stack", [[], [DAGSTER], [LIBRARY]])
def test_where_none_of_the_teams_code_is_involved_no_line_is_named(stack: list[str]) -> None:
    assert explain(Serialized("ValueError: no", stack=stack), None) == "ValueError: no"


def test_of_a_long_message_the_first_line_is_told() -> None:
    assert explain(Serialized("\nColumnNotFoundError: month\n\nResolved plan until failure:\n\t..."), None).endswith(
        "month"
    )
