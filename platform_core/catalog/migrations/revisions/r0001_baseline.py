"""The tables of the first catalogs, which were created without a revision."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "namespaces",
        sa.Column("name", NAME, primary_key=True),
        sa.Column("parent", NAME, sa.ForeignKey("namespaces.name")),
        sa.Column("pin", NUMBER),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_table(
        "transactions",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("namespace", NAME, sa.ForeignKey("namespaces.name"), nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("author", sa.String, nullable=False),
        sa.Column("message", sa.String, nullable=False),
        sa.Column("committed_at", MOMENT, nullable=False),
    )
    _create_versions()
    _create_refs()


def _create_versions() -> None:
    op.create_table(
        "versions",
        sa.Column("id", NAME, primary_key=True),
        sa.Column("namespace", NAME, sa.ForeignKey("namespaces.name"), nullable=False),
        sa.Column("asset", NAME, nullable=False),
        sa.Column("partition", NAME, nullable=False),
        sa.Column("format", sa.String, nullable=False),
        sa.Column("files", sa.JSON, nullable=False),
        sa.Column("data_version", sa.String, nullable=False),
        sa.Column("rows", sa.BigInteger),
        sa.Column("schema", sa.JSON, nullable=False),
        sa.Column("metadata", sa.JSON, nullable=False),
        sa.Column("provenance", sa.JSON, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("transaction", NUMBER, sa.ForeignKey("transactions.number"), nullable=False),
    )
    op.create_index("versions_by_asset", "versions", ["asset", "partition", "transaction"])


def _create_refs() -> None:
    op.create_table(
        "refs",
        sa.Column("asset", NAME, primary_key=True),
        sa.Column("namespace", NAME, sa.ForeignKey("namespaces.name"), primary_key=True),
        sa.Column("partition", NAME, primary_key=True),
        sa.Column("transaction", NUMBER, sa.ForeignKey("transactions.number"), primary_key=True),
        sa.Column("version", NAME, sa.ForeignKey("versions.id"), nullable=False),
    )
    op.create_index("refs_by_namespace", "refs", ["namespace", "transaction"])
