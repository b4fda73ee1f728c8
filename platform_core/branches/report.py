"""What a reviewer reads of a branch: what it changed, what that did to the data, what is in the way."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from platform_core.branches.comparison import AssetComparison
from platform_core.branches.plan import BranchPlan
from platform_core.history.diff import RowChanges
from platform_core.namespaces import Namespace


def marker(branch: Namespace) -> str:
    """What a comment begins with, so that it is found again; nobody sees it."""
    return f"<!-- headrace {branch} -->"


def as_markdown(
    branch: Namespace,
    plan: BranchPlan,
    left: Mapping[str, Sequence[str]],
    compared: Sequence[AssetComparison],
    obstacles: Sequence[str],
) -> str:
    """The report as a comment of a pull request.

    Args:
        left: by asset the partitions that are still to be computed.
        obstacles: sentences about what keeps it from being promoted.
    """
    parts = [
        f"{marker(branch)}\n## Data of `{branch}`",
        verdict(plan, left, compared, obstacles),
        _changes(plan, left),
        *(asset_markdown(one) for one in compared),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def verdict(
    plan: BranchPlan,
    left: Mapping[str, Sequence[str]],
    compared: Sequence[AssetComparison],
    obstacles: Sequence[str],
) -> str:
    """Whether it can be promoted, and what is in the way."""
    if not plan.changed and not compared:
        return "It changes no asset."
    if left:
        return f"⏳ {_several(len(left), 'asset')} still to compute."
    if obstacles:
        return "❌ It cannot be promoted as it is:\n\n" + "\n".join(f"- {sentence}" for sentence in obstacles)
    return "✅ It can be promoted as it is."


def asset_markdown(one: AssetComparison) -> str:
    """A heading, lines of what differs, and tables of the changes and of a few rows."""
    lines = [f"### `{one.asset}`", "", f"{one.different} of {one.own} versions differ from production's."]
    if one.rows_after is not None:
        lines.append(f"Rows: {number(one.rows_before)} → {number(one.rows_after)}.")
    lines.append(f"Compute: {one.spent_before} → {one.spent_after}.")
    lines += [f"Check `{check.name}`: {_passed(check.before)} → {_passed(check.after)}." for check in one.checks]
    if told := side_by_side(one):
        lines += ["", *_table(("", "production", "branch"), told)]
    if one.note:
        lines += ["", one.note]
    return "\n".join([*lines, *(_matched(one.matched) if one.matched else ())])


def side_by_side(one: AssetComparison) -> list[tuple[str, Any, Any]]:
    """What has two values, production's and the branch's: what changed, and metrics in any case."""
    changed = [(change.name, change.before, change.after) for change in one.changes]
    names = {name for name, _, _ in changed}
    same = [(m.name, m.history[-1] if m.history else None, m.now) for m in one.metrics if m.name not in names]
    return changed + same


def _matched(rows: RowChanges) -> Iterator[str]:
    yield ""
    yield matched_sentence(rows)
    if rows.samples:
        yield from ("", "Some that changed:", *(f"- {changed_row(row)}" for row in rows.samples))
    for what, sample in (("added", rows.samples_added), ("removed", rows.samples_removed)):
        if sample:
            yield from ("", f"Some that were {what}:", "")
            yield from _table(tuple(sample[0]), [tuple(row.values()) for row in sample])


def matched_sentence(rows: RowChanges) -> str:
    """How many rows came, went and changed."""
    columns = ", ".join(f"{name} in {number(count)}" for name, count in rows.by_column.items())
    told = f"{number(rows.added)} added, {number(rows.removed)} removed, {number(rows.changed)} changed"
    return f"Rows by {', '.join(rows.key)}: {told}" + (f" ({columns})." if columns else ".")


def changed_row(row: Mapping[str, Any]) -> str:
    """A row as text, with both values of what changed."""
    cells = {
        name: " → ".join(map(_cell, cell)) if isinstance(cell, tuple) else _cell(cell) for name, cell in row.items()
    }
    return ", ".join(f"{name}: {cell}" for name, cell in cells.items())


def _table(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    shown = [titles, ["---"] * len(titles), *rows]
    return ["| " + " | ".join(map(_cell, row)) + " |" for row in shown]


def _passed(passed: bool | None) -> str:
    return "–" if passed is None else "passed" if passed else "failed"


def _changes(plan: BranchPlan, left: Mapping[str, Sequence[str]]) -> str:
    rows = [(change.asset, ", ".join(change.reasons)) for change in plan.changed]
    rows += [(asset, "reads what changed") for asset in plan.affected]
    if not rows:
        return ""
    told = [f"| `{asset}` | {why} | {amount(left.get(asset))} |" for asset, why in rows]
    return "\n".join(["| asset | change | to compute |", "|---|---|---|", *told])


def amount(keys: Sequence[str] | None) -> str:
    """How much of an asset is to be computed; empty where nothing is."""
    if keys is None:
        return ""
    return "yes" if list(keys) == [""] else _several(len(keys), "partition")


def number(rows: int | None) -> str:
    return "none" if rows is None else f"{rows:,}"


def value(cell: Any) -> str:
    """A value as people read it."""
    return "–" if cell is None else f"{cell:.6g}" if isinstance(cell, float) else str(cell)


def _cell(cell: Any) -> str:
    return value(cell).replace("|", "\\|").replace("\n", " ")


def _several(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
