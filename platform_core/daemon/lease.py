"""Who of several daemons leads: a lease in the PostgreSQL schema of a Dagster instance, with a number that only grows.

The number is the fencing token: `platform_core.daemon.fence` lets the database refuse what a daemon writes whose number
is no longer that of the lease. All times are those of the database's clock.
"""

import os
import socket
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

# The number is the primary key, so that who takes over waits for what the leader is writing, and its renewals do not.
_TABLES = """
CREATE TABLE IF NOT EXISTS headrace_lease (
    token bigint PRIMARY KEY, holder text NOT NULL, since timestamptz NOT NULL, expires timestamptz NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS headrace_one_lease ON headrace_lease ((true));
INSERT INTO headrace_lease SELECT 0, '', '-infinity', '-infinity' WHERE NOT EXISTS (SELECT FROM headrace_lease);
CREATE TABLE IF NOT EXISTS headrace_daemons (holder text PRIMARY KEY, seen timestamptz NOT NULL)
"""
_TAKE = """
UPDATE headrace_lease SET token = token + 1, holder = :holder, since = clock_timestamp(),
    expires = clock_timestamp() + make_interval(secs => :seconds)
WHERE expires < clock_timestamp() RETURNING token
"""
_RENEW = """
UPDATE headrace_lease SET expires = clock_timestamp() + make_interval(secs => :seconds) WHERE token = :token
"""
_RELEASE = "UPDATE headrace_lease SET expires = '-infinity' WHERE token = :token"
_BEAT = """
INSERT INTO headrace_daemons VALUES (:holder, clock_timestamp())
ON CONFLICT (holder) DO UPDATE SET seen = excluded.seen
"""
_FORGET = "DELETE FROM headrace_daemons WHERE seen < clock_timestamp() - interval '1 day'"
_LED = "SELECT token, holder, extract(epoch FROM expires - clock_timestamp()) > 0 FROM headrace_lease"
_SEEN = "SELECT holder FROM headrace_daemons WHERE seen > clock_timestamp() - make_interval(secs => :seconds)"
_THERE = "SELECT to_regclass('headrace_lease') IS NOT NULL"
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('headrace_lease ' || current_schema()))"


@dataclass(frozen=True)
class Leadership:
    """Who leads, and who stands by: processes by their machine and number.

    Args:
        token: how often somebody took over.
        leader: empty when the lease has expired.
    """

    token: int
    leader: str
    standing_by: tuple[str, ...]


@dataclass(frozen=True)
class Lease:
    """The lease of an instance as one process sees it.

    Args:
        url: of the schema of the instance.
        holder: who asks, by machine and number of the process.
        seconds: for how long it holds when it is not renewed.
    """

    url: str
    holder: str
    seconds: float

    def prepare(self) -> None:
        """Makes the tables where there are none yet."""
        with self._connection() as connection:
            if not connection.scalar(text(_THERE)):
                connection.execute(text(_LOCK))  # two that create a table at once would fail
                connection.exec_driver_sql(_TABLES)

    def take(self) -> int | None:
        """The token of the new leader; None while another one leads. Waits for what the old one is just writing."""
        token: int | None = self._first(_TAKE, holder=self.holder, seconds=self.seconds)
        return token

    def renew(self, token: int) -> bool:
        """Whether it is still this one that leads; also when it was late, and nobody took over."""
        return self._touched(_RENEW, token=token, seconds=self.seconds)

    def release(self, token: int) -> None:
        """Lets another one take over at once."""
        self._touched(_RELEASE, token=token)

    def beat(self) -> None:
        """Says that this process is there."""
        self._touched(_BEAT, holder=self.holder)
        self._touched(_FORGET)

    def leadership(self) -> Leadership | None:
        """None where no daemon ever asked for the lease."""
        with self._connection() as connection:
            if not connection.scalar(text(_THERE)):
                return None
            token, holder, holds = connection.execute(text(_LED)).one()
            seen = connection.execute(text(_SEEN), {"seconds": 2 * self.seconds}).scalars().all()
        leader = holder if holds else ""
        return Leadership(token, leader, tuple(sorted(one for one in seen if one != leader)))

    def _first(self, statement: str, **values: Any) -> Any:
        with self._connection() as connection:
            return connection.execute(text(statement), values).scalar()

    def _touched(self, statement: str, **values: Any) -> bool:
        with self._connection() as connection:
            return connection.execute(text(statement), values).rowcount > 0

    def _connection(self) -> AbstractContextManager[Connection]:
        return self._engine.begin()

    @cached_property
    def _engine(self) -> Engine:
        # Who waits for an answer of a server that is gone must not wait for longer than the lease holds.
        patience = {"connect_timeout": 5, "tcp_user_timeout": int(1000 * self.seconds)}
        return create_engine(self.url, poolclass=NullPool, connect_args=patience)


def this_process() -> str:
    return f"{socket.gethostname()}/{os.getpid()}"


def machine_of(holder: str) -> str:
    return holder.rpartition("/")[0]
