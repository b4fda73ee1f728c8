"""What the catalog knows, as notebooks show it."""

from collections.abc import Mapping
from html import escape
from typing import Any


def as_page(title: str, told: Mapping[str, Any]) -> str:
    """A title over a table of what says something."""
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>"
        for name, value in told.items()
        if value not in (None, "")
    )
    return f"<b>{escape(title)}</b><table>{rows}</table>"
