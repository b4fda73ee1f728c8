"""Brings the catalog's tables to the revision that this code works with."""

from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, insert, inspect, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from platform_core.catalog.tables import metadata, namespaces, revision
from platform_core.errors import SettingsError
from platform_core.namespaces import PRODUCTION
from platform_core.settings import login

HEAD = "0006"
BASELINE = "0001"  # what catalogs had before they knew their revision

# Numbers must grow in the order in which transactions become visible, and nobody may choose one: PostgreSQL's own
# sequences promise neither. The lock lasts to the end of the transaction.
LOCK = int.from_bytes(b"headrace")
NUMBERING = (
    f"""
CREATE FUNCTION number_transaction() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    PERFORM pg_advisory_xact_lock({LOCK});
    EXECUTE format('SELECT coalesce(max(number), 0) + 1 FROM %I.transactions', TG_TABLE_SCHEMA) INTO NEW.number;
    RETURN NEW;
END $$
""",
    """
CREATE TRIGGER number_transaction BEFORE INSERT ON transactions
FOR EACH ROW EXECUTE FUNCTION number_transaction()
""",
)


def prepare(engine: Engine) -> None:
    """Creates or upgrades the tables where needed; when they are as they should be, this costs one short query."""
    if _known_revision(engine) == HEAD:
        return
    # As a writer: of several processes that find an old catalog, or none, one does the work and the others wait.
    with engine.connect().execution_options(headrace_writes=True) as connection, connection.begin():
        tables = set(inspect(connection).get_table_names())
        if "versions" not in tables:
            create(connection)
        else:
            _upgrade(connection, stamped="catalog_revision" in tables)


def _known_revision(engine: Engine) -> str | None:
    try:
        with engine.connect() as connection:
            return connection.scalar(select(revision.c.version_num))
    except (OperationalError, ProgrammingError) as error:
        if "catalog_revision" not in str(error.orig):  # anything but that there is no such table
            raise
        return None


def create(connection: Connection) -> None:
    """All tables of an empty database, with production in them: its role alone may write there."""
    metadata.create_all(connection)
    if connection.dialect.name == "postgresql":
        for statement in NUMBERING:
            connection.execute(text(statement))
    connection.execute(insert(revision).values(version_num=HEAD))
    row = {"name": str(PRODUCTION), "owner": login(), "created_at": datetime.now(UTC)}
    connection.execute(insert(namespaces).values(row))


def _upgrade(connection: Connection, *, stamped: bool) -> None:
    found = connection.scalar(select(revision.c.version_num)) if stamped else BASELINE
    if found == HEAD:
        return  # another process was quicker
    from platform_core.catalog.migrations.upgrade import known_revisions, upgrade

    if found not in known_revisions():
        raise SettingsError(
            f"The catalog is at revision {found}, which this version of Headrace does not know (it works with {HEAD});"
            " update Headrace."
        )
    upgrade(connection, baseline=None if stamped else BASELINE)
