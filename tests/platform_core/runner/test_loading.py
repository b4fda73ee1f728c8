"""A location is a module with exactly one Definitions in it."""

import sys
from types import ModuleType

import dagster as dg
import pytest

from platform_core.errors import DefinitionError
from platform_core.runner.loading import load_location


@dg.asset
def second(first: int) -> None: ...


@dg.asset
def first() -> None: ...


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    made = ModuleType("team_definitions")
    monkeypatch.setitem(sys.modules, "team_definitions", made)
    return made


def test_the_one_definitions_is_found_by_whatever_name(module: ModuleType) -> None:
    module.ours = dg.Definitions(assets=[second, first, dg.AssetSpec("elsewhere")])  # type: ignore[attr-defined]
    location = load_location("team", "team_definitions")
    assert (location.name, location.module) == ("team", "team_definitions")
    assert [key.to_user_string() for key in location.keys] == ["first", "second"]
    assert location.job.name == "__ASSET_JOB"


@pytest.mark.parametrize("number", [0, 2])
def test_none_or_several_are_refused_with_what_to_write(number: int, module: ModuleType) -> None:
    for index in range(number):
        setattr(module, f"defs_{index}", dg.Definitions())
    with pytest.raises(DefinitionError, match=f"has {number} Definitions; a location has exactly one"):
        load_location("team", "team_definitions")


def test_a_blocking_check_that_was_added_to_the_definitions_is_refused(module: ModuleType) -> None:
    @dg.asset_check(asset=first, blocking=True)
    def fine() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    module.ours = dg.Definitions(assets=[first], asset_checks=[fine])  # type: ignore[attr-defined]
    with pytest.raises(DefinitionError, match="The blocking check fine of first would come after the publication"):
        load_location("team", "team_definitions")
