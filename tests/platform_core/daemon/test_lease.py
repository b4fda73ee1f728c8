"""Of several daemons one leads; what one writes that no longer does is refused in the database."""

import threading
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from platform_core.daemon.fence import REFUSED, carried, put_up_fence
from platform_core.daemon.leading import kept, stand_by
from platform_core.daemon.lease import Leadership, Lease
from platform_core.daemon.lock import only_daemon
from platform_core.errors import ConflictError
from tests.platform_core.catalog.conftest import postgres
from tests.platform_core.postgres import Postgres

__all__ = ["postgres"]
LONG = 600.0


@pytest.fixture
def url(postgres: Postgres) -> str:
    """The schema of an instance with one table."""
    there = postgres.new_catalog()
    with connection(there) as tables:
        tables.execute(text("CREATE TABLE runs (id int)"))
    return there


@pytest.fixture
def one(url: str) -> Lease:
    lease = Lease(url, "here/1", LONG)
    lease.prepare()
    put_up_fence(url)
    return lease


@pytest.fixture
def other(one: Lease) -> Lease:
    return Lease(one.url, "there/2", LONG)


def connection(url: str) -> AbstractContextManager[Connection]:
    return create_engine(url, poolclass=NullPool).begin()


def expire(lease: Lease) -> None:
    with connection(lease.url) as table:
        table.execute(text("UPDATE headrace_lease SET expires = clock_timestamp() - interval '1 second'"))


def carrying(lease: Lease, token: int, seconds: float = LONG) -> AbstractContextManager[None]:
    return carried(token, str(make_url(lease.url).query["options"]), seconds)


def write(runs: Connection) -> None:
    runs.execute(text("INSERT INTO runs VALUES (1)"))


def test_one_leads_until_its_lease_expires_and_every_leader_has_another_token(one: Lease, other: Lease) -> None:
    assert one.take() == 1
    assert other.take() is None
    other.beat()
    assert one.leadership() == Leadership(1, "here/1", ("there/2",))
    expire(one)
    assert one.leadership() == Leadership(1, "", ("there/2",))
    assert other.take() == 2
    assert not one.renew(1)
    other.release(2)
    assert one.take() == 3


def test_one_that_was_late_leads_on_when_nobody_took_over(one: Lease, other: Lease) -> None:
    assert one.take() == 1
    expire(one)
    assert one.renew(1)
    assert other.take() is None


def test_where_nobody_ever_asked_nobody_leads(url: str) -> None:
    assert Lease(url, "here/1", LONG).leadership() is None


def test_what_is_written_with_an_old_token_is_refused_and_others_are_not_concerned(one: Lease, other: Lease) -> None:
    assert one.take() == 1
    with carrying(one, 1):
        with connection(one.url) as runs:
            write(runs)
        expire(one)
        with connection(one.url) as runs:  # nobody took over
            write(runs)
        assert other.take() == 2
        for statement in ("INSERT INTO runs VALUES (2)", "UPDATE runs SET id = 3", "DELETE FROM runs"):
            with pytest.raises(DBAPIError, match="lease 1 no longer leads") as refused, connection(one.url) as runs:
                runs.execute(text(statement))
            assert getattr(refused.value.orig, "pgcode", None) == REFUSED
    with connection(one.url) as runs:  # a webserver, or a run
        write(runs)
        assert runs.execute(text("SELECT id FROM runs")).scalars().all() == [1, 1, 1]


def test_who_takes_over_waits_for_what_is_being_written(one: Lease, other: Lease) -> None:
    assert one.take() == 1
    taken: list[int | None] = []
    with carrying(one, 1), connection(one.url) as runs:
        write(runs)
        expire(one)
        taking = threading.Thread(target=lambda: taken.append(other.take()))
        taking.start()
        taking.join(0.3)
        assert taking.is_alive()
        assert one.renew(1)  # it still leads, and its renewals wait for nothing
    taking.join(30)
    assert taken == [None]


def test_one_that_is_paused_in_a_transaction_keeps_nobody_from_taking_over(one: Lease, other: Lease) -> None:
    assert one.take() == 1
    with carrying(one, 1, seconds=0.2), create_engine(one.url, poolclass=NullPool).connect() as runs:
        write(runs)
        expire(one)
        assert other.take() == 2
        with pytest.raises(DBAPIError):
            runs.commit()
    with connection(one.url) as runs:
        assert runs.execute(text("SELECT count(*) FROM runs")).scalar() == 0


def test_tables_of_a_migration_are_fenced_too(one: Lease) -> None:
    assert put_up_fence(one.url) == []
    with connection(one.url) as tables:
        tables.execute(text("CREATE TABLE ticks (id int)"))
    assert put_up_fence(one.url) == ["ticks"]


def test_a_lease_that_is_kept_outlives_its_seconds_and_ends_with_its_holder(one: Lease) -> None:
    short, other, lost = Lease(one.url, "here/1", 1), Lease(one.url, "there/2", 1), threading.Event()
    with kept(short, stand_by(short), lost.set):
        assert not lost.wait(1.5)
        assert other.take() is None
    assert other.take() == 2


def test_who_loses_the_lease_is_told(one: Lease) -> None:
    short, lost = Lease(one.url, "here/1", 1), threading.Event()
    with kept(short, stand_by(short), lost.set):
        expire(short)
        while Lease(one.url, "there/2", LONG).take() is None:
            expire(short)
        assert lost.wait(30)


def test_an_instance_in_files_has_one_daemon(tmp_path: Path) -> None:
    with (
        only_daemon(tmp_path),
        pytest.raises(ConflictError, match=r"is the daemon of .* already"),
        only_daemon(tmp_path),
    ):
        pass
    with only_daemon(tmp_path):
        pass
