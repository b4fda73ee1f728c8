"""Sizes and durations as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.compute.quantities import as_bytes, as_seconds, duration_text, size_text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (512, 512),
        ("512", 512),
        ("1k", 1024),
        ("4GiB", 4 << 30),
        ("4Gi", 4 << 30),
        ("4G", 4 << 30),
        ("4GB", 4 * 10**9),
        ("500mb", 500 * 10**6),
        (" 1.5 GiB ", 3 << 29),
        ("2TiB", 2 << 40),
    ],
)
def test_a_size_is_a_number_of_bytes(text: str | int, number: int) -> None:
    assert as_bytes(text) == number


@pytest.mark.parametrize(
    "text", ["", "many", "4 apples", "-1GiB", "0", "0GB", "1e9", "GiB", "0.4", "nan", "inf", "4 G B"]
)
def test_what_is_no_size_is_refused_by_its_own_words(text: str) -> None:
    with pytest.raises(ValueError, match=f"'{text}' is not a size such as 4GiB"):
        as_bytes(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [(5, 5), (0.25, 0.25), ("90s", 90), ("30min", 1800), ("30m", 1800), ("1.5h", 5400), ("2d", 172800)],
)
def test_a_duration_is_a_number_of_seconds(text: str | float, seconds: float) -> None:
    assert as_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "0s", "-5s", "5 weeks", "inf"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration such as 90s, 30min or 2h"):
        as_seconds(text)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "1 B"),
        (1000, "1000 B"),
        (4 << 30, "4 GiB"),
        (3 << 29, "1.5 GiB"),
        (1000 << 20, "1000 MiB"),
        (32 << 40, "32 TiB"),
        (10 << 50, "10 PiB"),
    ],
)
def test_a_size_is_told_in_the_unit_that_is_shortest(number: int, text: str) -> None:
    assert size_text(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.5, "0.5 s"), (90, "90 s"), (300, "5 min"), (7200, "2 h"), (172800, "48 h"), (1_000_001, "1000001 s")],
)
def test_a_duration_is_told_in_whole_units(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@given(st.integers(1, 1 << 52))
def test_a_size_that_is_told_can_be_read_again(number: int) -> None:
    text = size_text(number)
    assert "e" not in text
    assert as_bytes(text) == pytest.approx(number, rel=1e-3)


@given(st.integers(1, 10**9))
def test_a_duration_that_is_told_is_read_as_the_same(seconds: int) -> None:
    assert as_seconds(duration_text(seconds)) == seconds


@given(st.integers(1, 1 << 50))
def test_a_number_of_bytes_is_itself(number: int) -> None:
    assert as_bytes(number) == as_bytes(str(number)) == number
