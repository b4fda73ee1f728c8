"""The private names are there in the release of Dagster that they were looked through for."""

import dagster as dg
import pytest

from platform_core import dagster_internals
from platform_core.dagster_internals import _MODULE_OF, HELD_FOR


def test_the_private_names_were_checked_for_the_dagster_that_is_installed() -> None:
    assert dg.__version__.startswith(f"{HELD_FOR}.")


@pytest.mark.parametrize("name", _MODULE_OF)
def test_what_is_imported_when_asked_for_is_there(name: str) -> None:
    assert getattr(dagster_internals, name) is not None


def test_what_is_not_there_is_an_error_of_attributes() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(dagster_internals, "nothing")  # noqa: B009
