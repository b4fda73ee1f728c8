"""The card of a model: data, features, parameters, metrics by segment, checks, limits, owner. Written by itself."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from platform_core.catalog.values import Alias, Version
from platform_core.namespaces import Namespace
from platform_core.tracking.comparing import shown
from platform_core.tracking.kept import CARD, CHECKS

if TYPE_CHECKING:
    from platform_core.catalog.catalog import Catalog

_OF_SEGMENT = re.compile(r"(.+)\[(.+)\]")
MOST_INPUTS = 40


def card(
    catalog: "Catalog", model: Version, aliases: Sequence[Alias] = (), tags: Mapping[str, str] | None = None
) -> str:
    """The card of a version as Markdown, from what was noted when it was computed and what is said of it by now."""
    definition = model.metadata.get(CARD, {})
    sections = [
        ("", [definition.get("about", "")]),
        ("Model", _table(("", ""), _facts(model, definition, aliases, tags or {}))),
        ("Data and features", _inputs(catalog, model)),
        ("Parameters", _table(("parameter", "value"), _plain(model.provenance.parameters))),
        ("Metrics", _table(("metric", "value"), _plain(_whole(model.metrics)))),
        ("Metrics by segment", _segments(model.metrics)),
        ("Checks", _checks(model.metadata.get(CHECKS, ()))),
        ("Limits", [f"- {limit}" for limit in definition.get("limits", ())] or ["None were stated."]),
    ]
    told = [f"# {model.label}"]
    for title, lines in sections:
        if any(lines):
            told += [*(["", f"## {title}"] if title else []), "", *lines]
    return "\n".join(told) + "\n"


def card_of(catalog: "Catalog", namespace: Namespace, model: Version) -> str:
    """The card with the aliases and tags that a namespace shows."""
    names = [alias for alias in catalog.aliases(namespace, model.asset) if alias.version == model.id]
    return card(catalog, model, names, catalog.tags(namespace, model.asset).get(model.id))


def _facts(
    model: Version, definition: Mapping[str, Any], aliases: Sequence[Alias], tags: Mapping[str, str]
) -> Iterable[tuple[str, str]]:
    origin = model.provenance
    names = [f"{item.name} ({item.author}, {item.at:%Y-%m-%d}{': ' if item.why else ''}{item.why})" for item in aliases]
    yield "owner", ", ".join(definition.get("owners", ()))
    yield "written", f"{model.created_at:%Y-%m-%d %H:%M} UTC by {origin.author or 'nobody known'} to {model.namespace}"
    yield "alias", "; ".join(names)
    yield "tags", ", ".join(f"{name}={value}" for name, value in tags.items())
    yield "code", f"{origin.code_version} {origin.git_commit}".strip()
    yield "environment", origin.environment
    yield "run", origin.run_id
    yield "refused", model.rejected or ""


def _inputs(catalog: "Catalog", model: Version) -> list[str]:
    read = model.provenance.inputs
    known = {version.id: version for version in catalog.versions([item.version for item in read])}
    rows = []
    for item in read[:MOST_INPUTS]:
        version = known.get(item.version)
        rows.append((
            item.asset, item.partition, f"`{item.version}`", item.namespace,
            "" if version is None or version.rows is None else f"{version.rows:,}",
            "" if version is None or not version.schema else str(len(version.schema)),
        ))  # fmt: skip
    more = ["", f"… and {len(read) - MOST_INPUTS} more"] if len(read) > MOST_INPUTS else []
    return [*_table(("asset", "partition", "version", "resolved from", "rows", "columns"), rows), *more]


def _whole(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if not _OF_SEGMENT.fullmatch(name)}


def _segments(metrics: Mapping[str, float]) -> list[str]:
    """One row for each segment, one column for each metric, with the whole in the first row."""
    found = [(match[1], match[2], metrics[match[0]]) for name in metrics if (match := _OF_SEGMENT.fullmatch(name))]
    names = list(dict.fromkeys(name for name, _, _ in found))
    by_segment: dict[str, dict[str, float]] = {"all": {name: metrics[name] for name in names if name in metrics}}
    for name, segment, value in found:
        by_segment.setdefault(segment, {})[name] = value
    rows = [(segment, *(shown(values.get(name)) for name in names)) for segment, values in by_segment.items()]
    return _table(("segment", *names), rows) if names else []


def _checks(results: Sequence[Mapping[str, Any]]) -> list[str]:
    marks = {True: "passed", False: "did not pass"}
    rows = [
        (item["check"], marks[item["passed"]], "" if item["passed"] else item["severity"].lower(), item["description"])
        for item in results
    ]
    tables = [line for item in results for table in item["tables"] for line in ("", f"{item['check']}:", "", table)]
    return [*_table(("check", "result", "severity", ""), rows), *tables]


def _plain(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, shown(value)) for name, value in values.items()]


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of Markdown, without rows that say nothing; nothing when none does."""
    told = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows if any(row[1:])]
    lines = [titles, ["---"] * len(titles), *told] if told else []
    return [f"| {' | '.join(line)} |" for line in lines]
