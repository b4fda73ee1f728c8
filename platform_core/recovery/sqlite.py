"""SQLite databases, copied while others write to them."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

_BESIDE = ("-wal", "-shm", "-journal")


def copy_database(source: Path, target: Path) -> None:
    """A consistent copy, as of one moment, by the online backup of SQLite."""
    target.parent.mkdir(parents=True, exist_ok=True)
    uri = f"file:{source}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as there, closing(sqlite3.connect(target)) as here:
        there.backup(here)
        here.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it


def copy_tree(source: Path, target: Path) -> None:
    """A folder with databases and files; links are left out, as are files that databases keep beside them."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.rglob("*")):
        goal = target / path.relative_to(source)
        if path.is_symlink() or not path.is_file() or path.name.endswith(_BESIDE):
            continue
        if path.suffix == ".db":
            copy_database(path, goal)
        else:
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, goal)


def set_aside(path: Path, mark: str) -> Path | None:
    """Renames a database or a folder, with what lies beside it; where it went, if it was there."""
    for suffix in _BESIDE:
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(path.with_name(f"{path.name}.{mark}{suffix}"))
    if not path.exists():
        return None
    return path.rename(path.with_name(f"{path.name}.{mark}"))
