"""What the runner tells of stored versions."""

from typing import Any

import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.errors import NotFoundError
from platform_core.runner.validate import declared_of, validate
from tests.platform_core.auditing.test_stored import asset
from tests.platform_core.drafts import TESS
from tests.platform_core.runner.locations import located
from tests.platform_core.runs import run


class Told:
    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def send(self, kind: str, **content: Any) -> None:
        self.messages.append({"kind": kind, **content})


def test_each_version_is_told_with_its_results_and_a_failure_is_an_exit_code(catalog: Catalog) -> None:
    run(asset(3))
    version = catalog.resolve(TESS, "t/some")[""].version
    told = Told()
    assert validate(located(asset(3)), [version.id], told) == 0
    assert validate(located(asset(3, lowest=1)), [version.id], told) == 1
    good, bad = told.messages
    assert [result["passed"] for result in good["results"]] == [True, True]
    assert "breaks greater_than_or_equal_to(1)" in bad["results"][1]["description"]


def test_an_asset_that_is_no_longer_declared_is_told() -> None:
    with pytest.raises(NotFoundError, match="t no longer computes t/gone"):
        declared_of(located(), "t/gone")
