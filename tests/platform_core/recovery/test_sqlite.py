"""Databases are copied as of one moment, whoever writes to them meanwhile."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from platform_core.recovery.sqlite import copy_database, copy_tree, set_aside


def test_a_copy_is_of_one_moment_while_another_process_writes(tmp_path: Path):
    source = tmp_path / "a.db"
    with closing(sqlite3.connect(source)) as here:
        here.execute("PRAGMA journal_mode=WAL")
        here.execute("CREATE TABLE pairs (a INTEGER, b INTEGER)")
        here.commit()
    done = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(source, timeout=30)) as there:
            number = 0
            while not done.is_set():
                number += 1
                with there:
                    there.execute("INSERT INTO pairs VALUES (?, NULL)", (number,))
                    there.execute("UPDATE pairs SET b = a WHERE a = ?", (number,))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for round_ in range(5):
            copy_database(source, tmp_path / f"{round_}.db")
    finally:
        done.set()
        writer.join()
    for round_ in range(5):
        with closing(sqlite3.connect(tmp_path / f"{round_}.db")) as copy:
            assert copy.execute("SELECT count(*) FROM pairs WHERE b IS NULL").fetchone() == (0,)
            assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_what_only_a_log_beside_a_database_holds_is_in_the_copy(tmp_path: Path):
    with closing(sqlite3.connect(tmp_path / "a.db")) as here:
        here.execute("PRAGMA journal_mode=WAL")
        here.execute("CREATE TABLE t (n INTEGER)")
        here.execute("INSERT INTO t VALUES (7)")
        here.commit()
        assert (tmp_path / "a.db-wal").exists()
        copy_tree(tmp_path, tmp_path.with_name("copy"))
    copied = tmp_path.with_name("copy")
    assert [path.name for path in copied.iterdir()] == ["a.db"]
    with closing(sqlite3.connect(copied / "a.db")) as copy:
        assert copy.execute("SELECT n FROM t").fetchall() == [(7,)]


def test_links_are_not_followed(tmp_path: Path):
    (tmp_path / "from").mkdir()
    (tmp_path / "secret").write_text("x")
    (tmp_path / "from" / "dagster.yaml").symlink_to(tmp_path / "secret")
    (tmp_path / "from" / "log").write_text("kept")
    copy_tree(tmp_path / "from", tmp_path / "to")
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["log"]


def test_what_is_set_aside_keeps_what_lies_beside_it(tmp_path: Path):
    for name in ("a.db", "a.db-wal"):
        (tmp_path / name).write_text(name)
    set_aside(tmp_path / "a.db", "before")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.db.before", "a.db.before-wal"]
    assert set_aside(tmp_path / "none", "before") is None
