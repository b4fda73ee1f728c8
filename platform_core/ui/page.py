"""The page that lists all deployments."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from html import escape

from platform_core.ui.address import PAGE
from platform_core.ui.rows import Row, Work

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="10">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Deployments · Headrace</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 76rem; padding: 0 1rem; }}
h1 {{ font-size: 1.5rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; padding: .55rem .8rem; border-bottom: 1px solid #8884; vertical-align: top; }}
th {{ font-weight: 600; font-size: .85rem; opacity: .75; }}
small {{ opacity: .7; display: block; }}
.failure {{ color: #c5221f; }} .success {{ color: #188038; }}
</style>
</head>
<body>
<h1>Deployments</h1>
{body}
</body>
</html>
"""
MINUTE, HOUR, DAY = 60, 3600, 86_400  # seconds
_HEADINGS = ("deployment", "state", "owner", "age", "cost", "last run", "data")


def page_of(rows: Iterable[Row], now: datetime | None = None) -> str:
    moment = now or datetime.now(UTC)
    headings = "".join(f"<th>{heading}</th>" for heading in _HEADINGS)
    lines = "\n".join(_line(row, moment) for row in rows)
    table = f"<table>\n<thead><tr>{headings}</tr></thead>\n<tbody>\n{lines}\n</tbody>\n</table>"
    return _PAGE.format(body=f"{table}\n<p>A branch is added by <code>headrace branch open</code>.</p>")


def page_with(sentence: str) -> str:
    """A page that says one thing, and leads back."""
    return _PAGE.format(body=f'<p>{escape(sentence)}</p>\n<p><a href="{PAGE}">All deployments</a></p>')


def _line(row: Row, now: datetime) -> str:
    name = escape(row.name)
    cells = (
        (f'<a href="{escape(row.link)}">{name}</a>' if row.link else name) + f"<small>{escape(row.namespace)}</small>",
        escape(row.state) + _expiry(row, now),
        escape(row.owner),
        _age(row.opened, now),
        _cost(row),
        _last(row.work, now),
        f'<a href="{escape(row.report)}">what it did</a>' if row.report else "",
    )
    return f'<tr data-namespace="{escape(row.namespace)}">' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _expiry(row: Row, now: datetime) -> str:
    if not row.report:
        return ""
    if row.expires is None:
        return "<small>kept</small>"
    return "<small>" + (f"{_span(row.expires - now)} left" if row.expires > now else "over") + "</small>"


def _age(opened: datetime | None, now: datetime) -> str:
    return _span(now - opened) if opened else ""


def _cost(row: Row) -> str:
    runs = f"{row.work.runs} run{'' if row.work.runs == 1 else 's'}"
    stored = f", {_size(row.stored)}" if row.stored else ""
    return f"{escape(str(row.spent))}<small>{runs}{stored}</small>"


def _last(work: Work, now: datetime) -> str:
    if work.last_at is None:
        return "none"
    ago = _span(now - datetime.fromtimestamp(work.last_at, UTC))
    return f'<span class="{escape(work.last_status)}">{escape(work.last_status)}</span><small>{ago} ago</small>'


def _span(delta: timedelta) -> str:
    seconds = int(delta.total_seconds())
    for size, unit in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if seconds >= size:
            return f"{seconds // size} {unit}{'' if seconds // size == 1 else 's'}"
    return "less than a minute"


def _size(count: int) -> str:
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
