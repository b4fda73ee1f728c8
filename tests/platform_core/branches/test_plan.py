"""What a branch changed is told by what differs, and what follows from it by who reads whom."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.branches.plan import make_plan
from tests.platform_core.branches.descriptions import described

CODE = "0123456789ab"
PRODUCTION = {
    "t/fact": described(),
    "t/feature": described(("t/fact",)),
    "t/model": described(("t/feature",)),
    "t/other": described(("t/fact",)),
}


def changed(**given: Any) -> dict[str, Any]:
    return PRODUCTION | {"t/feature": described(("t/fact",)) | given}


def test_nothing_changed_is_an_empty_plan() -> None:
    plan = make_plan(PRODUCTION, PRODUCTION)
    assert (plan.changed, plan.affected, plan.order) == ((), (), ())


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"code": "c2"}, "code"),
        ({"reads": ["t/fact", "t/other"]}, "dependencies"),
        ({"columns": [{"name": "x"}]}, "schema"),
        ({"code": f"{CODE}.89abcdef"}, "schema"),
        ({"partitions": "months"}, "partitions"),
        ({"environment": "e2"}, "environment"),
    ],
)
def test_a_change_says_why_and_what_follows_from_it(given: dict[str, Any], reason: str) -> None:
    plan = make_plan(changed(code=f"{CODE}.01234567") if "." in given.get("code", "") else PRODUCTION, changed(**given))
    assert [(change.asset, change.reasons) for change in plan.changed] == [("t/feature", (reason,))]
    assert plan.affected == ("t/model",)
    assert plan.order == ("t/feature", "t/model")


def test_a_change_of_metadata_changes_no_value() -> None:
    plan = make_plan(PRODUCTION, changed(metadata={"unit": "minutes"}))
    assert [change.reasons for change in plan.changed] == [("metadata",)]
    assert plan.order == ()


def test_several_reasons_are_all_told() -> None:
    (change,) = make_plan(PRODUCTION, changed(code="c2", environment="e2", owners=["ann@example.com"])).changed
    assert change.reasons == ("code", "environment", "metadata")


def test_new_and_removed_assets_are_told() -> None:
    branch = {key: value for key, value in PRODUCTION.items() if key != "t/other"} | {"t/new": described(("t/model",))}
    plan = make_plan(PRODUCTION, branch)
    assert [(change.asset, change.reasons) for change in plan.changed] == [
        ("t/new", ("new",)),
        ("t/other", ("removed",)),
    ]
    assert plan.order == ("t/new",)


@given(st.sets(st.integers(0, 11)), st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=30))
def test_what_is_computed_is_what_changed_and_whatever_reaches_it(
    edited: set[int], pairs: list[tuple[int, int]]
) -> None:
    reads = {n: sorted({f"t/{low}" for low, high in pairs if high == n and low < high}) for n in range(12)}
    before = {f"t/{n}": described(tuple(reads[n])) for n in range(12)}
    after = {key: value | ({"code": "c2"} if int(key[2:]) in edited else {}) for key, value in before.items()}
    order = make_plan(before, after).order
    reached = {f"t/{n}" for n in edited}
    for n in range(12):
        if reached & set(reads[n]):
            reached.add(f"t/{n}")
    assert set(order) == reached
    assert all(order.index(up) < order.index(key) for key in order for up in before[key]["reads"] if up in reached)
