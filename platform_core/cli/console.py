"""How the command prints: quantities for people, tables for terminals, JSON for scripts."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

console = Console()
errors = Console(stderr=True)

THOUSAND = 1000
WIDEST = 1_000  # characters of a line


def print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


def table(*columns: str, right: Sequence[str] = ()) -> Table:
    """A plain table; columns named in `right` hold numbers."""
    grid = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        keep = column in ("asset", "version", "partition", "namespace") or column in right
        grid.add_column(escape(column), justify="right" if column in right else "left", overflow="fold", no_wrap=keep)
    return grid


def print_whole(grid: Table) -> None:
    """Prints a table with every cell in full, however narrow the terminal is: a part of a version's id is of no use."""
    needed = Measurement.get(console, console.options.update(width=WIDEST), grid).maximum
    Console(width=max(needed, console.width)).print(grid, crop=False, soft_wrap=True)


def size(count: int | None) -> str:
    """Bytes in the unit that gives a short number."""
    if count is None:
        return ""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < THOUSAND:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= THOUSAND
    return f"{amount:.1f} TB"


def count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def several(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"
