"""What a process that works on runs imports and does at the opening of an instance, and never needs."""

from typing import Any

import dagster as dg

from platform_core.dagster_internals import HELD_FOR, InstanceRef
from platform_core.spared_imports import postponed, without, without_init_of

NEWEST_MIGRATION = "29b539ebc72a"  # of the tables of HELD_FOR; a test compares
_OF_ALEMBIC = {
    "alembic": (),
    "alembic.command": ("downgrade", "stamp", "upgrade"),
    "alembic.config": ("Config",),
    "alembic.runtime": (),
    "alembic.runtime.environment": ("EnvironmentContext",),
    "alembic.runtime.migration": ("MigrationContext",),
    "alembic.script": ("ScriptDirectory",),
}


def spare_imports() -> None:
    """Lets this process open an instance without Alembic and Dagster's daemons, which a run never calls.

    Each database in files is asked at every opening whether it is migrated, and a new one, of which each run has one,
    is marked as migrated: for either, Alembic loads all migrations that ever were. With the imports that was a third
    of what a worker spent. Before anything opens an instance; without effect in another release of Dagster.
    """
    if not dg.__version__.startswith(HELD_FOR):
        return
    with without(_OF_ALEMBIC), without_init_of("dagster._daemon"):
        from platform_core.dagster_internals import DaemonHeartbeat, sql  # noqa: F401

    config_of = sql.get_alembic_config
    own = {
        "get_alembic_config": lambda *given, **named: postponed(lambda: config_of(*given, **named)),
        "check_alembic_revision": _in_files(_revisions, sql.check_alembic_revision),
        "stamp_alembic_rev": _in_files(_stamp, sql.stamp_alembic_rev),
    }
    vars(sql).update(own)


def spare_default_state() -> None:
    """Lets this process open instances without the default place for the state of components, and without fsspec.

    It is a folder of the machine that launched the run, which a step elsewhere does not see.
    """
    state: Any = InstanceRef.defs_state_storage
    told = property(lambda reference: state.fget(reference) if reference.defs_state_storage_data else None)
    setattr(InstanceRef, "defs_state_storage", told)  # noqa: B010


def _in_files(own: Any, theirs: Any) -> Any:
    """What is done to a database in a file, and Dagster's own way for every other one."""

    def choose(config: Any, connection: Any, rev: str = "head") -> Any:
        if connection.dialect.name == "sqlite" and rev == "head":
            return own(connection)
        return theirs(config, connection, *([] if rev == "head" else [rev]))

    return choose


def _revisions(connection: Any) -> tuple[str | None, str]:
    """That of the database, None for a new one, and the newest one there is."""
    from sqlalchemy import inspect, text

    if "alembic_version" not in inspect(connection).get_table_names():
        return None, NEWEST_MIGRATION
    row = connection.execute(text("select version_num from alembic_version")).first()
    return row[0] if row else None, NEWEST_MIGRATION


def _stamp(connection: Any) -> None:
    from sqlalchemy import text

    key = "constraint alembic_version_pkc primary key"
    connection.execute(text(f"create table if not exists alembic_version (version_num varchar(32) not null {key})"))
    connection.execute(text("insert into alembic_version values (:newest)"), {"newest": NEWEST_MIGRATION})
