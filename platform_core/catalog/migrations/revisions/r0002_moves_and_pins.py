"""Refs that show nothing, pins with a history, versions that were given up, numbers given by the database."""

import getpass
import os
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)

NUMBERING = (
    """
CREATE FUNCTION number_transaction() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7522525836635890533);
    EXECUTE format('SELECT coalesce(max(number), 0) + 1 FROM %I.transactions', TG_TABLE_SCHEMA) INTO NEW.number;
    RETURN NEW;
END $$
""",
    """
CREATE TRIGGER number_transaction BEFORE INSERT ON transactions
FOR EACH ROW EXECUTE FUNCTION number_transaction()
""",
)


def upgrade() -> None:
    with op.batch_alter_table("refs") as refs:
        refs.alter_column("version", existing_type=NAME, nullable=True)
    op.add_column("versions", sa.Column("replaces", NAME))
    op.add_column("versions", sa.Column("forgotten_at", MOMENT))
    op.add_column("transactions", sa.Column("token", sa.String))
    op.create_index("transactions_by_token", "transactions", ["token"], unique=True)
    op.create_index("transactions_by_namespace", "transactions", ["namespace", "number"])
    _create_pins()
    _create_production()
    if op.get_bind().dialect.name == "postgresql":
        for statement in NUMBERING:
            op.execute(statement)


def _create_pins() -> None:
    op.create_table(
        "pins",
        sa.Column("namespace", NAME, sa.ForeignKey("namespaces.name"), primary_key=True),
        sa.Column("transaction", NUMBER, sa.ForeignKey("transactions.number"), primary_key=True),
        sa.Column("pin", NUMBER),
        sa.Column("since", NUMBER, nullable=False),
    )
    op.execute("INSERT INTO pins SELECT name, pin, pin, 0 FROM namespaces WHERE pin IS NOT NULL")
    op.drop_column("namespaces", "pin")
    op.add_column("namespaces", sa.Column("closed_at", MOMENT))


def _create_production() -> None:
    spaces = sa.table("namespaces", sa.column("name"), sa.column("owner"), sa.column("created_at", MOMENT))
    known = op.get_bind().scalar(sa.select(spaces.c.name).where(spaces.c.name == "production"))
    if known is None:
        row = {"name": "production", "owner": _login(), "created_at": datetime.now(UTC)}
        op.execute(spaces.insert().values(row))


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in a container
        return f"uid-{os.getuid()}"
