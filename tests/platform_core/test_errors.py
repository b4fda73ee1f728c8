"""Phrases for sentences."""

from platform_core.errors import did_you_mean, listed


def test_a_short_list_is_told_in_full() -> None:
    assert listed(["a", "b"]) == "a, b"


def test_a_long_list_says_how_many_more_there_are() -> None:
    assert listed((str(number) for number in range(9)), most=2) == "0, 1 and 7 more"


def test_a_close_name_becomes_a_question() -> None:
    assert did_you_mean("wether", ["weather", "planes"]) == " Did you mean weather?"


def test_where_nothing_is_close_nothing_is_asked() -> None:
    assert did_you_mean("xyz", ["weather", "planes"]) == ""
