"""What one location may change under another's feet, and what is told when it does."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.contracts import (
    FILE,
    agreed,
    breaking_changes,
    broken_between,
    is_wider,
    read_contract,
    write_contract,
)
from platform_core.errors import SettingsError


def asset(key: str, layer: str = "feature", *, reads: tuple[str, ...] = (), **columns: Any) -> dict[str, Any]:
    told = [{"name": n, "type": t.removesuffix("?"), "nullable": t.endswith("?")} for n, t in columns.items()]
    owners = [f"team:{key.partition('/')[0]}"]
    return {"key": key, "layer": layer, "owners": owners, "reads": list(reads), "columns": told}


def located(*assets: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in assets:
        found.setdefault(item["key"].partition("/")[0], {"assets": [], "problems": []})["assets"].append(item)
    return found


READER = asset("airports/delays", reads=("flights/days",))
BEFORE: dict[str, Any] = {"day": "Date", "count": "Int32", "share": "Float64"}


def told(**columns: Any) -> list[str]:
    described = located(asset("flights/days", **columns), READER)
    return list(broken_between(described, {"flights": {"flights/days": BEFORE}, "airports": {}}))


def test_what_stays_or_grows_is_no_breach() -> None:
    assert told(**BEFORE) == []
    assert told(**{**BEFORE, "count": "Int64", "more": "String?"}) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"share": ""}, "flights/days lost the column share"),
        ({"share": "Float32"}, "flights/days narrowed the type of share from Float64 to Float32"),
        ({"count": "String"}, "flights/days changed the type of count from Int32 to String"),
        ({"day": "Date?"}, "flights/days allows missing values in day"),
    ],
)
def test_a_breach_is_told_with_readers_and_owners(change: dict[str, str], sentence: str) -> None:
    columns = {name: type for name, type in (BEFORE | change).items() if type}
    (problem,) = told(**columns)
    assert problem.startswith(f"{sentence}, which breaks airports/delays (team:airports).")
    assert "`headrace check --accept` writes the contract of flights anew" in problem


def test_a_key_that_is_gone_is_told_while_somebody_reads_it() -> None:
    contracts = {"flights": {"flights/days": BEFORE}}
    (problem,) = broken_between(located(asset("flights/other"), READER), contracts)
    assert problem.startswith("flights/days is gone, which breaks airports/delays (team:airports).")
    assert list(broken_between(located(asset("flights/other")), contracts)) == []


def test_a_misspelt_upstream_of_another_location_is_told() -> None:
    (problem,) = broken_between(located(asset("flights/dayz"), READER), {})
    assert problem == (
        "airports/delays (team:airports) reads flights/days, which no location declares. Did you mean flights/dayz?"
    )


def test_layers_hold_across_locations() -> None:
    described = located(asset("flights/days", "prediction"), READER)
    (problem,) = broken_between(described, {"flights": {"flights/days": {}}})
    assert problem.startswith("airports/delays is a feature and reads flights/days, which is a prediction;")


def test_what_is_read_without_a_contract_is_told() -> None:
    (problem,) = broken_between(located(asset("flights/days"), READER), {"flights": {}})
    assert "run `headrace check --accept` and commit code_locations/flights/contract.yaml" in problem


def test_what_is_agreed_is_what_others_read_and_survives_its_file(tmp_path: Path) -> None:
    described = located(asset("flights/days", **BEFORE), asset("flights/other"), READER)
    contract = agreed(described, "flights")
    assert contract == {"flights/days": BEFORE}
    write_contract(tmp_path, contract)
    assert read_contract(tmp_path) == contract
    write_contract(tmp_path, {})
    assert not (tmp_path / FILE).exists()
    assert read_contract(tmp_path) == {}


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "a: 7"])
def test_a_spoilt_contract_is_told_by_its_path(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(SettingsError, match=r"contract\.yaml is no contract"):
        read_contract(tmp_path)


columns = st.dictionaries(
    st.sampled_from("abc"), st.sampled_from(["Int8", "Int64", "Float64", "String", "Int8?", "String?"])
)


@given(columns, columns)
def test_a_contract_holds_exactly_while_every_old_value_still_fits(
    before: dict[str, str], after: dict[str, str]
) -> None:
    assert list(breaking_changes("k", before, before)) == []
    fits = all(
        name in after
        and (
            type.removesuffix("?") == after[name].removesuffix("?") or is_wider(type.strip("?"), after[name].strip("?"))
        )
        and not (after[name].endswith("?") and not type.endswith("?"))
        for name, type in before.items()
    )
    assert (list(breaking_changes("k", before, after)) == []) == fits
