"""Runs `bench_*.py`, all or those named, and prints each comparison.

The table is kept in `.headrace/benchmarks/<name>.txt`, every sample beside it in `<name>.json`.
"""

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.interleave import BenchmarkError, Comparison

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent / ".headrace" / "benchmarks"


def discover(folder: Path = HERE) -> list[str]:
    """The names of the benchmarks: the module `bench_check` is `check`."""
    return sorted(path.stem.removeprefix("bench_") for path in folder.glob("bench_*.py"))


def table_of(comparison: Comparison) -> Table:
    table = Table(title=comparison.claim, title_justify="left", title_style="bold")
    table.add_column("contender")
    for heading in ("wall s", "ratio", "cpu s", "cpu ratio"):
        table.add_column(heading, justify="right")
    for row in comparison.standings:
        table.add_row(row.name, f"{row.wall:.3f}", f"{row.wall_ratio:.2f}", f"{row.cpu:.2f}", f"{row.cpu_ratio:.2f}")
    return table


def record_of(comparison: Comparison) -> dict[str, Any]:
    """Everything that is needed to doubt a result later: each sample, and on what it was measured."""
    return {
        **asdict(comparison),
        "holds": comparison.holds,
        "standings": [asdict(standing) for standing in comparison.standings],
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "load": os.getloadavg(),
    }


def run(name: str, console: Console, results: Path = RESULTS) -> bool:
    """Runs one benchmark; whether its claim holds."""
    console.print(f"Measuring {name} …", style="dim")
    try:
        comparison: Comparison = import_module(f"benchmarks.bench_{name}").main()
    except BenchmarkError as error:
        console.print(f"{name} could not be measured: {error}", style="red", markup=False)
        return False
    results.mkdir(parents=True, exist_ok=True)
    (results / f"{name}.json").write_text(json.dumps(record_of(comparison), indent=2) + "\n")
    with (results / f"{name}.txt").open("w") as file:
        for target in (console, Console(file=file, width=120)):
            _print(comparison, target)
    return comparison.holds


def _print(comparison: Comparison, console: Console) -> None:
    console.print(table_of(comparison))
    verdict = "[green]holds[/]" if comparison.holds else "[red]does not hold[/]"
    console.print(f"{verdict}: at most {comparison.target:.2f} times {comparison.reference}\n")


def main(names: Sequence[str]) -> int:
    """Exit code 0 when every claim holds, 1 when one does not or could not be measured, 2 for an unknown name."""
    console, known = Console(), discover()
    unknown = sorted(set(names) - set(known))
    if unknown:
        console.print(f"There is no benchmark {', '.join(unknown)}; there are: {', '.join(known)}.")
        return 2
    os.chdir(HERE.parent)  # benchmarks name their commands from the root
    held = [run(name, console) for name in names or known]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
