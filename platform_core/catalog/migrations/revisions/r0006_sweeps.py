"""Sweeps, and what became of their trials."""

import sqlalchemy as sa
from alembic import op

from platform_core.catalog.access import has_members, rights_to

revision = "0006"
down_revision = "0005"

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "sweeps",
        sa.Column("id", NAME, primary_key=True),
        sa.Column("namespace", NAME, sa.ForeignKey("namespaces.name"), nullable=False),
        sa.Column("transaction", NUMBER, sa.ForeignKey("transactions.number"), nullable=False),
        sa.Column("asset", NAME, nullable=False),
        sa.Column("partition", NAME, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
    )
    op.create_table(
        "trials",
        sa.Column("sweep", NAME, sa.ForeignKey("sweeps.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("namespace", NAME, sa.ForeignKey("namespaces.name"), nullable=False),
        sa.Column("transaction", NUMBER, sa.ForeignKey("transactions.number"), nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("parameters", sa.JSON, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("metrics", sa.JSON, nullable=False),
        sa.Column("reports", sa.JSON, nullable=False),
        sa.Column("sentence", sa.String, nullable=False),
        sa.Column("version", NAME, sa.ForeignKey("versions.id")),
    )
    if has_members(op.get_bind()):
        for table in ("sweeps", "trials"):
            op.execute(rights_to(table))
