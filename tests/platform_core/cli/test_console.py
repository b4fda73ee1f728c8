"""Quantities for people."""

import pytest

from platform_core.cli.console import count, several, size


@pytest.mark.parametrize(
    ("number", "text"),
    [(None, ""), (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (8_400_000, "8.4 MB"), (3 * 10**12, "3.0 TB")],
)
def test_sizes_are_short(number: int | None, text: str) -> None:
    assert size(number) == text


def test_counts_are_grouped_and_nouns_agree() -> None:
    assert (count(336_776), count(None)) == ("336,776", "")
    assert (several(1, "partition"), several(12, "partition")) == ("1 partition", "12 partitions")
