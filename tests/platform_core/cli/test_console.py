"""Quantities and tables for people."""

import pytest

from platform_core.cli.console import console, count, print_whole, several, size, table


@pytest.mark.parametrize(
    ("number", "text"),
    [(None, ""), (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (8_400_000, "8.4 MB"), (3 * 10**12, "3.0 TB")],
)
def test_sizes_are_short(number: int | None, text: str) -> None:
    assert size(number) == text


def test_counts_are_grouped_and_nouns_agree() -> None:
    assert (count(336_776), count(None)) == ("336,776", "")
    assert (several(1, "partition"), several(12, "partition")) == ("1 partition", "12 partitions")


def test_a_column_may_be_called_by_a_segment(capsys: pytest.CaptureFixture[str]) -> None:
    grid = table("version", "roc_auc[origin=JFK]")
    grid.add_row("1", "0.8")
    with console.capture():
        print_whole(grid)
    assert "roc_auc[origin=JFK]" in capsys.readouterr().out
