"""What a person sees of a run: a line for each step as it ends, progress meanwhile, a table at the end."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from platform_core.catalog.opening import open_catalog
from platform_core.catalog.values import Version
from platform_core.cli.console import console, count, several, size, table
from platform_core.cli.conversation import Message
from platform_core.locations import Location
from platform_core.settings import current_settings


@dataclass
class AssetReport:
    """What became of one asset over all runs of the command."""

    transactions: set[int] = field(default_factory=set)
    partitions: int = 0
    seconds: float = 0.0
    checks: int = 0
    failed_checks: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    skipped: int = 0


class Report:
    """Takes the messages of one location. A context manager: inside it, progress is shown."""

    def __init__(self, location: Location) -> None:
        self.ok = True
        self.elsewhere = ""  # why the location has nothing of what was asked for
        self._location = location
        self._assets: dict[str, AssetReport] = defaultdict(AssetReport)
        self._not_started = 0
        self._plan: list[dict[str, Any]] = []
        self._steps: dict[tuple[int, str], list[str]] = {}
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=console, transient=True)
        self._task = self._progress.add_task(f"loading {location.name}", total=None)

    def __enter__(self) -> "Report":
        self._progress.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._progress.stop()

    def take(self, message: Message) -> None:
        """Handles a message by the method that is named like its kind."""
        getattr(self, f"_on_{message['kind']}", lambda _message: None)(message)

    def _say(self, text: str) -> None:
        self._progress.console.print(text, highlight=False, soft_wrap=True)

    def _on_printed(self, message: Message) -> None:
        self._say(f"  [dim]{escape(message['line'])}[/]")

    def _on_elsewhere(self, message: Message) -> None:
        self.elsewhere = message["sentence"]

    def _on_refused(self, message: Message) -> None:
        self.ok = False
        self._say(f"[red]✗[/] {escape(message['sentence'])}")

    def _on_ended(self, message: Message) -> None:
        if message["code"] != 0 and self.ok:
            self._say(f"[red]✗[/] The process of location {self._location.name} ended with code {message['code']}.")
        self.ok = self.ok and message["code"] == 0

    def _on_planned(self, message: Message) -> None:
        self._plan = message["runs"]
        for note in message["notes"]:
            self._say(f"[dim]{escape(note)}[/]")
        self._progress.update(self._task, total=sum(len(run["assets"]) for run in self._plan), completed=0)

    def _on_step_started(self, message: Message) -> None:
        self._steps[message["run"], message["step"]] = message["assets"]
        names = ", ".join(_short(asset) for asset in message["assets"])
        self._progress.update(self._task, description=escape(f"{names} {self._partitions(message['run'])}"))

    def _on_step_ended(self, message: Message) -> None:
        assets = self._steps[message["run"], message["step"]]
        for asset in assets:
            self._assets[asset].seconds += message["seconds"] / len(assets)
            self._done(f"[green]✓[/] {asset} {self._partitions(message['run'])}", message["seconds"])

    def _on_step_failed(self, message: Message) -> None:
        self.ok = False
        for asset in message["assets"]:
            self._assets[asset].failures.append(message["sentence"])
        names = ", ".join(message["assets"])
        self._done(f"[red]✗[/] {names} {self._partitions(message['run'])}: {escape(message['sentence'])}", None)

    def _on_step_skipped(self, message: Message) -> None:
        for asset in message["assets"]:
            self._assets[asset].skipped += 1
            self._done(
                f"[yellow]–[/] {asset} {self._partitions(message['run'])}: not run, as what it reads failed", None
            )

    def _on_not_started(self, message: Message) -> None:
        assets = self._plan[message["run"]]["assets"]
        for asset in assets:
            self._assets[asset].skipped += 1
        self._progress.advance(self._task, len(assets))
        self._not_started += 1

    def _on_run_failed(self, message: Message) -> None:
        self.ok = False
        self._say(f"[red]✗[/] {escape(message['sentence'])}")

    def _on_materialized(self, message: Message) -> None:
        report = self._assets[message["asset"]]
        if message["transaction"] is not None:
            report.transactions.add(message["transaction"])
        if message["partition"]:
            report.partitions += 1
            text = f"{_short(message['asset'])}: {several(report.partitions, 'partition')}"
            self._progress.update(self._task, description=escape(text))

    def _on_checked(self, message: Message) -> None:
        report = self._assets[message["asset"]]
        report.checks += 1
        if not message["passed"]:
            report.failed_checks.append(message["check"])
            serious = message["severity"] == "ERROR"
            self.ok = self.ok and not serious
            colour = "red" if serious else "yellow"
            text = f"check {message['check']} of {message['asset']}: {message['description']}"
            self._say(f"  [{colour}]![/] {escape(text)}")

    def _done(self, text: str, seconds: float | None) -> None:
        self._progress.advance(self._task)
        self._say(text if seconds is None else f"{text} [dim]{seconds:.1f} s[/]")

    def _partitions(self, run: int) -> str:
        keys = self._plan[run]["partitions"]
        return keys[0] if len(keys) == 1 else f"{keys[0]}..{keys[-1]}" if keys else ""

    def print_table(self) -> None:
        """The table at the end: one row for each asset."""
        if not self._assets:
            return
        if self._not_started:
            self._say(f"[yellow]–[/] {several(self._not_started, 'run')} not started, as an earlier one failed")
        grid = table("asset", "version", "rows", "bytes", "seconds", "checks", right=("rows", "bytes", "seconds"))
        written = self._written()
        for asset, report in self._assets.items():
            grid.add_row(_short(asset), *_cells(report, written.get(asset, [])))
        console.print()
        console.print(grid)

    def _written(self) -> dict[str, list[Version]]:
        numbers = {number for report in self._assets.values() for number in report.transactions}
        versions: dict[str, list[Version]] = defaultdict(list)
        for version in open_catalog(current_settings().catalog).written(sorted(numbers)):
            versions[version.asset].append(version)
        return versions


def _short(asset: str) -> str:
    return asset.rpartition("/")[2]


def _cells(report: AssetReport, versions: list[Version]) -> list[str]:
    rows = [version.rows for version in versions if version.rows is not None]
    return [
        _version_cell(report, versions),
        count(sum(rows)) if rows else "",
        size(sum(version.bytes for version in versions)) if versions else "",
        f"{report.seconds:.1f}",
        _checks_cell(report),
    ]


def _version_cell(report: AssetReport, versions: list[Version]) -> str:
    if report.failures and not versions:
        return "[red]failed[/]"
    if not versions:
        return "[yellow]not run[/]" if report.skipped else "none"
    label = versions[0].id.rpartition("-")[2] if len(versions) == 1 else several(len(versions), "partition")
    return label + (f" [red]({several(len(report.failures), 'failure')})[/]" if report.failures else "")


def _checks_cell(report: AssetReport) -> str:
    if not report.checks:
        return ""
    passed = report.checks - len(report.failed_checks)
    return f"{passed}/{report.checks}" + (
        f" [red]{', '.join(sorted(set(report.failed_checks)))}[/]" if report.failed_checks else ""
    )
