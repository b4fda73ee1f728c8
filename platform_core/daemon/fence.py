"""Lets the database refuse what a daemon writes that no longer leads, whatever that daemon believes.

Connections of a leading daemon carry its token. On each of Dagster's tables a trigger compares it with that of the
lease in the transaction of the write, and holds the lease until that ends: who takes over waits for it, and afterwards
nothing with the old token gets through. Connections without one, those of webservers and runs, are not concerned.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.pool import NullPool

REFUSED = "HR001"  # the SQLSTATE of a refusal
_FUNCTION = f"""
CREATE OR REPLACE FUNCTION headrace_fence() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM FROM headrace_lease WHERE token = current_setting('headrace.fence')::bigint FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'The daemon with lease % no longer leads: another one took over.',
            current_setting('headrace.fence') USING ERRCODE = '{REFUSED}';
    END IF;
    RETURN NULL;
END $$
"""
_OPEN = """
SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
    AND relname NOT LIKE 'headrace%' AND relname <> 'alembic_version'
    AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgname = 'headrace_fence')
"""
_TRIGGER = """
CREATE TRIGGER headrace_fence BEFORE INSERT OR UPDATE OR DELETE ON "{table}" FOR EACH STATEMENT
    WHEN (coalesce(current_setting('headrace.fence', true), '') <> '') EXECUTE FUNCTION headrace_fence()
"""
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('headrace_fence ' || current_schema()))"


def put_up_fence(url: str) -> list[str]:
    """Guards those tables of an instance that are not yet guarded, after a migration the new ones. Returns them."""
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(text(_LOCK))
        tables = [str(name) for name in connection.execute(text(_OPEN)).scalars()]
        if tables:
            connection.execute(text(_FUNCTION))
        for table in tables:
            connection.execute(text(_TRIGGER.format(table=table)))
    return tables


@contextmanager
def carried(token: int, options: str, seconds: float) -> Iterator[None]:
    """Within, the connections that this process opens with some options, and no child of it, carry a token.

    Args:
        options: those by which the connections of the instance are known, such as `-csearch_path=dagster`.
        seconds: after which the server ends a transaction of a process that was paused in it, which would otherwise
            keep another one from taking over.
    """
    more = f" -cheadrace.fence={token} -cidle_in_transaction_session_timeout={int(1000 * seconds)}"

    def add(dialect: Any, record: Any, args: Any, parameters: dict[str, Any]) -> None:  # noqa: ARG001
        if parameters.get("options") == options:
            parameters["options"] = options + more

    event.listen(Engine, "do_connect", add)
    try:
        yield
    finally:
        event.remove(Engine, "do_connect", add)
