"""A database that restarts loses nothing and doubles nothing; one that refuses is told of in a sentence."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from platform_core.catalog import attempts, engine
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.engine import open_engine
from platform_core.catalog.schema import LOCK
from platform_core.catalog.values import Move, Version
from platform_core.errors import CatalogError, SettingsError
from tests.platform_core.drafts import BRANCH, TESS, draft
from tests.platform_core.postgres import Postgres, running_postgres


@pytest.fixture(scope="module")
def fragile() -> Iterator[Postgres]:
    """A server of this module's own, because it is crashed here."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def shared(fragile: Postgres) -> Iterator[Catalog]:
    catalog = Catalog(open_engine(fragile.new_catalog()))
    yield catalog
    catalog._engine.dispose()


def write(catalog: Catalog, *assets: str) -> list[Version]:
    return catalog.commit(TESS, [draft(asset) for asset in assets])


def lost(*_: object) -> None:
    """What a driver says when the answer to COMMIT never comes."""
    raise OperationalError("COMMIT", None, ConnectionError("server closed the connection unexpectedly"))


def the_state_is(catalog: Catalog, *versions: Version) -> None:
    """Exactly these versions, one transaction each, the last one current."""
    assert [item.version for item in catalog.history(TESS, "a")] == list(reversed(versions))
    assert [done.number for done in catalog.transactions(TESS)] == [version.transaction for version in versions]


def once(catalog: Catalog, name: str, action: Any) -> None:
    """Lets something happen the first time only that the engine reports an event."""
    happened: list[bool] = []

    def listener(*given: object) -> None:
        if not happened:
            happened.append(True)
            action()

    event.listen(catalog._engine, name, listener)


def test_a_server_that_crashes_before_the_commit_gets_the_transaction_again(shared: Catalog, fragile: Postgres) -> None:
    (before,) = write(shared, "a")
    once(shared, "commit", fragile.crash)
    (after,) = write(shared, "a")
    assert after.replaces == before.id
    the_state_is(shared, before, after)


@pytest.mark.parametrize("mode", ["immediate", "fast"])
def test_a_server_that_restarts_between_a_commit_and_its_answer_has_it_once(
    shared: Catalog, fragile: Postgres, mode: str
) -> None:
    (before,) = write(shared, "a")
    fragile.answer_no_commit()
    with ThreadPoolExecutor() as pool:
        writing = pool.submit(write, shared, "a")
        fragile.crash_while_a_commit_waits(mode)
        (after,) = writing.result(60)
    assert after.replaces == before.id
    the_state_is(shared, before, after)
    (more,) = write(shared, "a")
    the_state_is(shared, before, after, more)


def test_a_server_that_crashes_while_a_version_is_written_gets_the_transaction_again(
    shared: Catalog, fragile: Postgres
) -> None:
    (before,) = write(shared, "a")
    crashed: list[str] = []

    def crash(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO refs") and not crashed:
            crashed.append(statement)
            fragile.crash()

    event.listen(shared._engine, "before_cursor_execute", crash)
    (after,) = write(shared, "a")
    assert crashed
    the_state_is(shared, before, after)


def test_a_server_that_restarted_between_two_reads_is_read_from_again(shared: Catalog, fragile: Postgres) -> None:
    (version,) = write(shared, "a")
    fragile.crash()
    the_state_is(shared, version)


@pytest.mark.parametrize(
    "said",
    [
        "FATAL:  the database system is starting up",
        "FATAL:  the database system is in recovery mode",
        "FATAL:  the database system is not yet accepting connections",
        "FATAL:  the database system is shutting down",
        "connection refused",
    ],
)
def test_whatever_a_server_says_that_is_coming_back_it_is_waited_for(catalog: Catalog, said: str) -> None:
    answers = iter([OperationalError("connect", None, ConnectionError(said))])

    def attempt() -> str:
        for error in answers:
            raise error
        return "back"

    assert attempts.patiently(catalog._engine, attempt, waits=[0]) == "back"


def test_a_commit_whose_answer_was_lost_is_not_done_twice(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    commit, calls = catalog._engine.dialect.do_commit, []

    def commit_and_lose(connection: Any) -> None:
        commit(connection)
        calls.append(connection)
        if len(calls) == 1:
            lost()

    monkeypatch.setattr(catalog._engine.dialect, "do_commit", commit_and_lose)
    (version,) = write(catalog, "a")
    monkeypatch.undo()
    assert len(calls) == 2
    the_state_is(catalog, version)


def test_a_move_whose_answer_was_lost_is_not_done_twice(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    (version,), (again,) = write(catalog, "a"), write(catalog, "a")
    commit = catalog._engine.dialect.do_commit
    answers = iter([lost])

    def commit_and_lose(connection: Any) -> None:
        commit(connection)
        next(answers, str)()

    monkeypatch.setattr(catalog._engine.dialect, "do_commit", commit_and_lose)
    number = catalog.move_refs(TESS, [Move("a", "", version.id)], kind="rollback")
    monkeypatch.undo()
    assert number == again.transaction + 1
    assert [done.number for done in catalog.transactions(TESS)] == [1, 2, 3]


def test_a_commit_that_never_arrived_is_done_again(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    commit, answers = catalog._engine.dialect.do_commit, iter([lost])
    monkeypatch.setattr(catalog._engine.dialect, "do_commit", lambda given: next(answers, commit)(given))
    (version,) = write(catalog, "a")
    the_state_is(catalog, version)


def test_when_the_outcome_stays_unknown_this_is_said(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "WAITS", (0.01, 0.01))
    monkeypatch.setattr(catalog._engine.dialect, "do_commit", lost)
    with pytest.raises(CatalogError, match=r"Whether the last change came through is not known: look at what is"):
        write(catalog, "a")


def test_a_server_that_is_not_there_is_told_of_at_once() -> None:
    with pytest.raises(CatalogError, match=r"^The catalog postgresql://me:\*\*\*@/d\?host=.*nowhere cannot be used: "):
        open_engine("postgresql://me:secret@/d?host=/nowhere")


def test_a_database_that_does_not_exist_is_told_of(fragile: Postgres) -> None:
    with pytest.raises(CatalogError, match=r'database "nowhere" does not exist. Nothing was changed'):
        open_engine(fragile.url.replace("/postgres?", "/nowhere?"))


def test_a_writer_that_hangs_is_told_of(fragile: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = Catalog(open_engine(fragile.new_catalog()))
    monkeypatch.setattr(engine, "PATIENCE", 0.05)
    with catalog._engine.connect() as hanging:
        hanging.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        with pytest.raises(CatalogError, match=r"Another process keeps the catalog .* locked; nothing was changed"):
            write(catalog, "a")
    write(catalog, "a")


def test_a_file_that_is_locked_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "PATIENCE", 0.05)
    catalog = Catalog(open_engine(f"sqlite:///{tmp_path}/catalog.db"))
    hanging = catalog._engine.connect().execution_options(headrace_writes=True)
    with hanging, hanging.begin(), pytest.raises(CatalogError, match=r"Another process keeps the catalog .* locked"):
        write(catalog, "a")
    write(catalog, "a")


def test_a_full_disk_is_told_of_and_nothing_is_lost(tmp_path: Path) -> None:
    catalog = Catalog(open_engine(f"sqlite:///{tmp_path}/catalog.db"))
    (before,) = write(catalog, "a")
    full = "PRAGMA max_page_count=1"  # SQLite takes the size that the file has by then
    event.listen(catalog._engine, "begin", lambda connection: connection.exec_driver_sql(full))
    with pytest.raises(CatalogError, match=r"cannot be used: database or disk is full. Nothing was changed.$"):
        catalog.commit(TESS, [draft("a", metadata={"text": "x" * 100_000})])
    the_state_is(Catalog(open_engine(f"sqlite:///{tmp_path}/catalog.db")), before)


def test_a_file_that_cannot_be_written_is_told_of(tmp_path: Path) -> None:
    write(Catalog(open_engine(f"sqlite:///{tmp_path}/catalog.db")), "a")
    reader = Catalog(open_engine(f"sqlite:///file:{tmp_path}/catalog.db?mode=ro&uri=true"))
    assert len(reader.current(TESS)) == 1
    with pytest.raises(CatalogError, match=r"attempt to write a readonly database. Nothing was changed"):
        write(reader, "a")


def test_a_file_that_is_no_database_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "catalog.db").write_text("this is no database, whatever its name says" * 100)
    with pytest.raises(CatalogError, match=r"cannot be used: file is not a database"):
        open_engine(f"sqlite:///{tmp_path}/catalog.db")


def test_a_folder_that_cannot_be_made_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"the folder .*/file cannot be made"):
        open_engine(f"sqlite:///{tmp_path}/file/catalog.db")


def test_a_process_that_was_forked_does_not_speak_on_its_parents_connection(catalog: Catalog) -> None:
    (before,) = write(catalog, "a")
    child = os.fork()
    if child == 0:
        os._exit(0 if catalog.commit(BRANCH, [draft("b", namespace=BRANCH)])[0].transaction == 2 else 1)
    assert os.waitpid(child, 0)[1] == 0
    (after,) = write(catalog, "a")
    the_state_is(catalog, before, after)
