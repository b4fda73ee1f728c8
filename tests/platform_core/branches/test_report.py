"""A report says at once whether a branch can be promoted, and then what it changed."""

from platform_core.branches.comparison import AssetComparison
from platform_core.branches.plan import AssetChange, BranchPlan
from platform_core.branches.report import as_markdown, marker
from platform_core.history.diff import Change
from platform_core.namespaces import Namespace

BRANCH = Namespace("branch", "new-engine")
PLAN = BranchPlan((AssetChange("t/feature", ("code", "schema")),), ("t/model",), ("t/feature", "t/model"))
COMPARED = AssetComparison(
    "t/feature", 2, 2, 1, 1000, 1010, (Change("delay: mean", 4.0, 5.25), Change("a|b", None, "x"))
)


def test_it_begins_with_what_finds_it_again() -> None:
    assert as_markdown(BRANCH, PLAN, {}, [], []).startswith(marker(BRANCH))


def test_what_is_left_to_compute_is_said_first() -> None:
    text = as_markdown(BRANCH, PLAN, {"t/feature": ["1", "2"], "t/model": [""]}, [], [])
    assert "2 assets still to compute" in text
    assert "| `t/feature` | code, schema | 2 partitions |" in text
    assert "| `t/model` | reads what changed | yes |" in text


def test_what_is_in_the_way_is_listed() -> None:
    text = as_markdown(BRANCH, PLAN, {}, [COMPARED], ["t/fact moved", "t/model has not passed gate"])
    assert "- t/fact moved\n- t/model has not passed gate" in text


def test_data_are_compared_side_by_side() -> None:
    text = as_markdown(BRANCH, PLAN, {}, [COMPARED], [])
    assert "It can be promoted as it is." in text
    assert "1 of 2 versions differ from production's.\nRows: 1,000 → 1,010." in text
    assert "| delay: mean | 4 | 5.25 |" in text
    assert "| a\\|b | – | x |" in text


def test_a_branch_that_changes_nothing_says_so() -> None:
    assert "It changes no asset." in as_markdown(BRANCH, BranchPlan((), (), ()), {}, [], [])
