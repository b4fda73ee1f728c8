"""What the catalog knows, as notebooks show it."""

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from platform_core.catalog.values import Version


def as_page(title: str, told: Mapping[str, Any]) -> str:
    """A title over a table of what says something."""
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>"
        for name, value in told.items()
        if value not in (None, "")
    )
    return f"<b>{escape(title)}</b><table>{rows}</table>"


def page_of(version: "Version") -> str:
    """A version as a table in HTML."""
    origin = version.provenance
    own = {
        "written": f"{version.created_at:%Y-%m-%d %H:%M} UTC to {version.namespace}",
        "by": origin.author,
        "refused": version.rejected,
        "rows": None if version.rows is None else f"{version.rows:,}",
        "columns": ", ".join(f"{column.name} {column.type}" for column in version.schema),
        "bytes": f"{version.bytes:,}",
        "format": version.format,
        "code": f"{origin.code_version} {origin.git_commit}".strip(),
        "environment": origin.environment,
        "computed from": ", ".join(f"{item.asset}@{item.version}" for item in origin.inputs),
    }
    return as_page(version.label, own | dict(origin.parameters) | version.metrics)
