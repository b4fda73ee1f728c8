"""Branch deployments, and a log of what was promoted out of them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "branches",
        sa.Column("namespace", NAME, sa.ForeignKey("namespaces.name"), primary_key=True),
        sa.Column("git_branch", sa.String, nullable=False),
        sa.Column("base_commit", sa.String, nullable=False),
        sa.Column("checkout", sa.String, nullable=False),
        sa.Column("expires_at", MOMENT),
    )
    op.create_table(
        "promotions",
        sa.Column("transaction", NUMBER, sa.ForeignKey("transactions.number"), primary_key=True),
        sa.Column("namespace", NAME, sa.ForeignKey("namespaces.name"), nullable=False),
        sa.Column("branch", NAME, sa.ForeignKey("namespaces.name"), nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("token", sa.String, nullable=False),
        sa.Column("issuer", sa.String, nullable=False),
        sa.Column("issued_at", MOMENT, nullable=False),
    )
    op.create_index("promotions_by_token", "promotions", ["token"], unique=True)
    op.create_index("versions_by_namespace", "versions", ["namespace", "transaction"])
