"""Aliases and tags of versions, and the figures that were drawn while they were computed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("versions", sa.Column("figures", sa.JSON))
    op.create_table(
        "aliases",
        sa.Column("asset", NAME, primary_key=True),
        sa.Column("name", NAME, primary_key=True),
        sa.Column("namespace", NAME, sa.ForeignKey("namespaces.name"), primary_key=True),
        sa.Column("transaction", NUMBER, sa.ForeignKey("transactions.number"), primary_key=True),
        sa.Column("version", NAME, sa.ForeignKey("versions.id")),
    )
    op.create_table(
        "tags",
        sa.Column("asset", NAME, primary_key=True),
        sa.Column("version", NAME, sa.ForeignKey("versions.id"), primary_key=True),
        sa.Column("name", NAME, primary_key=True),
        sa.Column("namespace", NAME, sa.ForeignKey("namespaces.name"), primary_key=True),
        sa.Column("transaction", NUMBER, sa.ForeignKey("transactions.number"), primary_key=True),
        sa.Column("value", sa.String),
    )
