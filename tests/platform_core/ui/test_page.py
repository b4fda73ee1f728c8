"""The page says what a person wants to know of each deployment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from platform_core.branches.spending import Spent
from platform_core.ui.page import page_of, page_with
from platform_core.ui.rows import Row, Work

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
WORK = Work(runs=2, last_status="failure", last_at=(NOW - timedelta(minutes=5)).timestamp())
ROW = Row(
    name="new-engine",
    namespace="branch/new-engine",
    link="/branch/new-engine/",
    state="asleep",
    owner="ann",
    opened=NOW - timedelta(days=3),
    expires=NOW + timedelta(hours=5),
    work=WORK,
    spent=Spent(90.0, 0.25),
    stored=2_500_000,
    report="/branches/branch-new-engine/report",
)


def test_a_branch_is_told_with_all_that_is_known_of_it() -> None:
    page = page_of([ROW], NOW)
    for told in (
        '<a href="/branch/new-engine/">new-engine</a>',
        *("asleep", "5 hours left", "ann", "3 days", "90.0 s, 0.25", "2 runs, 2.5 MB"),
        *('<span class="failure">failure</span>', "5 minutes ago", 'href="/branches/branch-new-engine/report"'),
    ):
        assert told in page


def test_what_is_over_kept_or_never_ran_says_so() -> None:
    assert "over" in page_of([replace(ROW, expires=NOW - timedelta(hours=1))], NOW)
    assert "kept" in page_of([replace(ROW, expires=None)], NOW)
    assert "none" in page_of([replace(ROW, work=Work())], NOW)


def test_what_is_served_elsewhere_has_no_link() -> None:
    assert "<a href" not in page_of([replace(ROW, link="", report="")], NOW)


def test_names_cannot_write_into_the_page() -> None:
    assert "<script>" not in page_of([replace(ROW, name="<script>")], NOW)
    assert "<script>" not in page_with("<script>")
