"""Partitions as text, and in stretches."""

from itertools import pairwise

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.errors import PartitionError
from platform_core.partitions import contiguous, lookback, parse_keys

MONTHS = ["2013-01", "2013-02", "2013-03", "2013-04"]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("2013-02", ["2013-02"]),
        ("2013-02..2013-04", ["2013-02", "2013-03", "2013-04"]),
        ("2013-02..2013-02", ["2013-02"]),
        ("all", MONTHS),
        ("latest", ["2013-04"]),
    ],
)
def test_a_text_means_partitions(text: str, keys: list[str]) -> None:
    assert parse_keys(text, MONTHS) == keys


@pytest.mark.parametrize("text", ["all", "latest"])
def test_of_no_partitions_all_and_latest_are_none(text: str) -> None:
    assert parse_keys(text, []) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2013-05", r"no partition 2013-05; there are 4, from 2013-01 to 2013-04\. Did you mean 2013-0"),
        ("2013-01..2014-01", "no partition 2014-01;"),
        ("2012-12..2013-01", "no partition 2012-12;"),
        ("2013-03..2013-01", r"range 2013-03\.\.2013-01 runs backwards; write 2013-01\.\.2013-03"),
        ("2013-01..", "no partition ;"),
        ("January", "no partition January; there are 4"),
    ],
)
def test_a_text_that_means_no_partition_is_refused_with_those_there_are(text: str, told: str) -> None:
    with pytest.raises(PartitionError, match=told):
        parse_keys(text, MONTHS)


def test_where_there_are_no_partitions_that_is_said() -> None:
    with pytest.raises(PartitionError, match="no partition x; there are none yet"):
        parse_keys("x", [])


@pytest.mark.parametrize(
    ("keys", "stretches"),
    [
        ([], []),
        (["2013-03", "2013-01", "2013-02"], [["2013-01", "2013-02", "2013-03"]]),
        (["2013-01", "2013-04"], [["2013-01"], ["2013-04"]]),
        (["2013-02", "2014-01"], [["2013-02"]]),
    ],
)
def test_keys_are_cut_where_one_between_them_is_left_out(keys: list[str], stretches: list[list[str]]) -> None:
    assert contiguous(keys, MONTHS) == stretches


KNOWN = [f"{number:02}" for number in range(12)]


@given(st.sets(st.sampled_from(KNOWN)))
def test_stretches_hold_every_key_once_in_order_and_do_not_touch(keys: set[str]) -> None:
    stretches = contiguous(sorted(keys, reverse=True), KNOWN)
    assert [key for stretch in stretches for key in stretch] == sorted(keys)
    for one, other in pairwise(stretches):
        assert KNOWN.index(other[0]) - KNOWN.index(one[-1]) > 1
    for stretch in stretches:
        assert parse_keys(f"{stretch[0]}..{stretch[-1]}", KNOWN) == stretch


@pytest.mark.parametrize(("month", "read"), [("2013-04", ["2013-02", "2013-03", "2013-04"]), ("2013-01", ["2013-01"])])
def test_looking_back_reads_what_there_is_of_the_partitions_before(month: str, read: list[str]) -> None:
    months = dg.MonthlyPartitionsDefinition(start_date="2013-01", end_date="2013-05", fmt="%Y-%m")
    mapped = lookback(2).get_upstream_mapped_partitions_result_for_partitions(
        months.subset_with_partition_keys([month]), months, months
    )
    assert list(mapped.partitions_subset.get_partition_keys()) == read
    assert list(mapped.required_but_nonexistent_subset.get_partition_keys()) == []


def test_looking_back_reads_what_there_is_of_an_asset_that_begins_later() -> None:
    ours = dg.MonthlyPartitionsDefinition(start_date="2013-01", end_date="2013-05", fmt="%Y-%m")
    theirs = dg.MonthlyPartitionsDefinition(start_date="2013-02", end_date="2013-05", fmt="%Y-%m")
    mapped = lookback(2).get_upstream_mapped_partitions_result_for_partitions(
        ours.subset_with_partition_keys(["2013-01", "2013-02"]), ours, theirs
    )
    assert list(mapped.partitions_subset.get_partition_keys()) == ["2013-02"]
    assert list(mapped.required_but_nonexistent_subset.get_partition_keys()) == []


def test_looking_back_does_not_hide_that_an_asset_has_ended() -> None:
    ours = dg.MonthlyPartitionsDefinition(start_date="2013-01", end_date="2013-05", fmt="%Y-%m")
    theirs = dg.MonthlyPartitionsDefinition(start_date="2013-01", end_date="2013-04", fmt="%Y-%m")
    mapped = lookback(2).get_upstream_mapped_partitions_result_for_partitions(
        ours.subset_with_partition_keys(["2013-04"]), ours, theirs
    )
    assert list(mapped.required_but_nonexistent_subset.get_partition_keys()) == ["2013-04"]


def test_looking_back_is_declared_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    lookback(1)
    assert [str(warning.message) for warning in recwarn] == []
