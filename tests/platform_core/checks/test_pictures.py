"""Pictures are valid SVG in Markdown that Dagster shows at once, and tables lose no row."""

import re
from base64 import b64decode
from xml.etree import ElementTree

import polars as pl

from platform_core.checks.pictures import history_with_limits, markdown_table, two_curves, two_distributions

SVG = "{http://www.w3.org/2000/svg}"


def parsed(markdown: str) -> ElementTree.Element:
    match = re.fullmatch(r"!\[[^\]]*\]\(data:image/svg\+xml;base64,([^)]*)\)", markdown)
    assert match
    return ElementTree.fromstring(b64decode(match[1]))


def test_two_distributions_have_two_bars_for_each_bin() -> None:
    picture = parsed(two_distributions([0.5, 0.5], [0.9, 0.1], "x"))
    assert len(picture.findall(f"{SVG}path")) == 1 + 4
    assert parsed(two_distributions([], [], "nothing")) is not None


def test_two_curves_are_two_lines_of_different_colours() -> None:
    picture = parsed(two_curves([(0, 0), (1, 1)], [(0, 0), (0.5, 1)], "roc"))
    colours = {path.get("stroke") for path in picture.iter(f"{SVG}path") if path.get("stroke-width")}
    assert len(colours) == 2


def test_a_count_outside_of_its_limits_has_another_colour() -> None:
    inside, outside = (parsed(history_with_limits([9, 10], now, 8, 12, "rows")) for now in (10, 30))
    assert inside.findall(f"{SVG}circle")[-1].get("fill") != outside.findall(f"{SVG}circle")[-1].get("fill")


def test_a_table_is_whole() -> None:
    assert len(markdown_table(pl.DataFrame({"a": range(40)})).splitlines()) == 42
