"""What the first and the last cell of an executed notebook call, in its kernel: they hand over what came of it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from platform_core.store.objects import write_object
from platform_core.store.parquet import write_table
from platform_core.store.tables import is_table
from platform_core.tracking.record import Record, hear

VALUE, RECORD, FIGURES = "value", "record.json", "figures"
FORMAT = "format.txt"

_heard: list[Record] = []


def begin() -> None:
    """From now on `log_metric` and the like are heard in this kernel, in whatever cell."""
    _heard[:] = [hear()]


def end(folder: str, **result: Any) -> None:
    """Leaves in a folder what was logged and, by whatever name, the result."""
    target = Path(folder)
    _write_record(_heard.pop(), target)
    for value in result.values():
        (target / VALUE).mkdir()
        (target / FORMAT).write_text(_write(value, target / VALUE))


def _write(value: Any, folder: Path) -> str:
    if not is_table(value):
        return write_object(value, folder)
    write_table(value, folder)
    return "parquet"


def _write_record(record: Record, target: Path) -> None:
    figures = dict(record.figures)
    record.figures, record.listener = {}, None
    (target / FIGURES).mkdir()
    for number, picture in enumerate(figures.values()):
        (target / FIGURES / str(number)).write_bytes(picture)
    (target / RECORD).write_text(json.dumps({**asdict(record), "figures": list(figures)}))


def read_record(folder: Path) -> Record:
    """What `end` left of a record."""
    kept = json.loads((folder / RECORD).read_text())
    figures = {name: (folder / FIGURES / str(n)).read_bytes() for n, name in enumerate(kept.pop("figures"))}
    series = {name: [(int(step), value) for step, value in points] for name, points in kept.pop("series").items()}
    return Record(**{**kept, "series": series, "figures": figures})
