"""What a branch did to the data is told over all of its partitions, and nothing of it that is sensitive."""

from typing import Any

import polars as pl
import pytest

from platform_core.branches.comparison import AssetComparison, Check, compare
from platform_core.branches.html_report import html_report
from platform_core.branches.report import asset_markdown
from platform_core.catalog.values import COST, ROW_KEY, SECONDS, SENSITIVE
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.store.values import Target, write_version
from tests.platform_core.branches.conftest import NEW_ENGINE, World

PEOPLE = "t/people"
SECRETS = ("Anna", "Boris", "Clara", "Dmitri", "4711", "4712", "4713", "4714")


def write(
    world: World, namespace: Namespace, value: Any, said: dict[str, Any], partition: str = "", *, asset: str = PEOPLE
) -> None:
    draft = write_version(world.store, value, Target(namespace, asset, partition, said))
    world.catalog.commit(namespace, [draft])


def people(*rows: tuple[int, str, int, float]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["id", "name", "salary", "score"], orient="row")


@pytest.fixture
def compared(world: World) -> AssetComparison:
    """A table of two partitions that the branch computed anew. Whoever earns what is nobody's business."""
    said = {ROW_KEY: "id", SENSITIVE: "name,salary", SECONDS: 2.0}
    write(world, PRODUCTION, people((1, "Anna", 4711, 0.5), (2, "Boris", 4712, 0.5)), said, "1")
    write(world, PRODUCTION, people((3, "Clara", 4713, 0.5)), said, "2")
    world.open()
    paid = said | {COST: 0.25}
    write(world, NEW_ENGINE, people((1, "Anna", 4714, 0.75), (5, "Dmitri", 4712, 0.5)), paid, "1")
    write(world, NEW_ENGINE, people((3, "Dmitri", 4713, 0.5)), paid, "2")
    (found,) = compare(world.catalog, world.store, NEW_ENGINE)
    return found


def test_rows_are_matched_over_all_partitions(compared: AssetComparison) -> None:
    rows = compared.matched
    assert rows is not None
    assert (rows.added, rows.removed, rows.changed) == (1, 1, 2)
    assert [row["id"] for row in rows.samples_added] == [5]
    assert [row["id"] for row in rows.samples_removed] == [2]
    assert {row["id"]: row.get("score") for row in rows.samples} == {1: (0.5, 0.75), 3: None}
    assert rows.by_column == {"salary": 1, "score": 1, "name": 1}


def test_time_and_cost_are_summed(compared: AssetComparison) -> None:
    assert (compared.spent_before.seconds, compared.spent_before.cost) == (4.0, None)
    assert (compared.spent_after.seconds, compared.spent_after.cost) == (4.0, 0.5)
    assert "Compute: 4.0 s → 4.0 s, 0.5." in asset_markdown(compared)


def test_sensitive_values_appear_nowhere(compared: AssetComparison) -> None:
    told = [str(compared.as_json()), asset_markdown(compared), html_report(NEW_ENGINE, [compared])]
    for text in told:
        assert not [secret for secret in SECRETS if secret in text]
        assert "(hidden)" in text  # it is said that there are such columns
    assert {shift.column for shift in compared.shifts} <= {"id", "score"}
    assert {change.name for change in compared.changes} <= {"score: mean", "score: max", "id: max", "id: mean"}


def test_it_is_enough_that_one_side_says_that_a_column_is_sensitive(world: World) -> None:
    write(world, PRODUCTION, people((1, "Anna", 4711, 0.5)), {ROW_KEY: "id"})
    world.open()
    write(world, NEW_ENGINE, people((1, "Boris", 4712, 0.5)), {ROW_KEY: "id", SENSITIVE: "name,salary"})
    (found,) = compare(world.catalog, world.store, NEW_ENGINE)
    assert not [secret for secret in SECRETS if secret in str(found)]


def test_a_key_that_is_none_is_told_and_hides_nothing_else(world: World) -> None:
    said = {ROW_KEY: "score", SENSITIVE: "score"}
    write(world, PRODUCTION, people((1, "a", 1, 0.123), (2, "b", 1, 0.123)), said)
    world.open()
    write(world, NEW_ENGINE, people((1, "a", 1, 0.123), (2, "c", 2, 0.123)), said)
    (found,) = compare(world.catalog, world.store, NEW_ENGINE)
    assert found.note == "Rows were not matched: score is no key: several rows have score=(hidden)."
    assert [change.name for change in found.changes] == ["salary: mean", "salary: max"]
    assert found.note in html_report(NEW_ENGINE, [found])


def test_metrics_stand_beside_productions_history(world: World) -> None:
    for auc in (0.6, 0.7):
        write(world, PRODUCTION, {"w": auc}, {"auc": auc}, asset="t/judge")
    world.open()
    write(world, NEW_ENGINE, {"w": 1}, {"auc": 0.8}, asset="t/judge")
    (found,) = compare(world.catalog, world.store, NEW_ENGINE)
    (metric,) = found.metrics
    assert (metric.name, metric.history, metric.now) == ("auc", (0.6, 0.7), 0.8)
    assert "| auc | 0.7 | 0.8 |" in asset_markdown(found)
    assert "auc over versions: 0.7 → 0.8" in html_report(NEW_ENGINE, [found])


def test_checks_are_those_of_the_runs_that_computed_what_is_compared(world: World) -> None:
    world.open()
    world.compute(NEW_ENGINE, "t/model", {"of": "the branch"})
    told = {
        ("run-of-production", "t/model", "gate"): True,
        ("run-of-branch-new-engine", "t/model", "gate"): False,
        ("run-of-branch-new-engine", "t/feature", "schema"): True,
        ("another", "t/model", "gate"): True,
    }
    (found,) = compare(world.catalog, world.store, NEW_ENGINE, told)
    assert found.checks == (Check("gate", True, False),)
    assert "Check `gate`: passed → failed." in asset_markdown(found)


def test_two_distributions_are_drawn_over_each_other(compared: AssetComparison) -> None:
    text = html_report(NEW_ENGINE, [compared])
    assert 'aria-label="Distribution of score"' in text
    assert text.count('class="bar before"') == text.count('class="bar after"') > 0


def test_a_report_is_one_file_in_which_texts_are_texts(world: World) -> None:
    write(world, PRODUCTION, people((1, "<script>", 1, 0.5)), {ROW_KEY: "id"})
    world.open()
    write(world, NEW_ENGINE, people((1, "a&b", 1, 0.5)), {ROW_KEY: "id"})
    text = html_report(NEW_ENGINE, compare(world.catalog, world.store, NEW_ENGINE))
    assert "&lt;script&gt; → a&amp;b" in text
    assert "<script" not in text
    assert "http" not in text  # neither fonts nor libraries from elsewhere
