"""As of which transaction each run reads."""

import sqlalchemy as sa
from alembic import op

from platform_core.catalog.access import has_members, rights_to

revision = "0005"
down_revision = "0004"

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "run_starts",
        sa.Column("namespace", NAME, primary_key=True),
        sa.Column("run", NAME, primary_key=True),
        sa.Column("transaction", NUMBER, nullable=False),
    )
    if has_members(op.get_bind()):
        op.execute(rights_to("run_starts"))  # whose runs would fail until somebody granted it to them
