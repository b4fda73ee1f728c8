"""The SQL tables of the catalog. All are append-only except `namespaces` and `versions.forgotten_at`."""

from sqlalchemy import JSON, BigInteger, Column, DateTime, ForeignKey, Index, Integer, MetaData, String, Table

metadata = MetaData()

# SQLite numbers rows by itself only for a column of the type INTEGER.
TransactionNumber = BigInteger().with_variant(Integer, "sqlite")
# Names sort by their characters in every database, whatever language its server was set up for.
Name = String().with_variant(String(collation="C"), "postgresql")

# The revision that the tables are at; a name of its own, because Dagster may keep its tables in the same database.
revision = Table("catalog_revision", metadata, Column("version_num", String(32), primary_key=True))

namespaces = Table(
    "namespaces",
    metadata,
    Column("name", Name, primary_key=True),
    Column("parent", Name, ForeignKey("namespaces.name")),
    Column("owner", String, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("closed_at", DateTime(timezone=True)),
)

transactions = Table(
    "transactions",
    metadata,
    Column("number", TransactionNumber, primary_key=True, autoincrement=True),
    Column("namespace", Name, ForeignKey("namespaces.name"), nullable=False),
    Column("kind", String, nullable=False),
    Column("author", String, nullable=False),
    Column("message", String, nullable=False),
    Column("committed_at", DateTime(timezone=True), nullable=False),
    # Known before the commit: tells a writer whose connection broke whether its transaction came through.
    Column("token", String),
    Index("transactions_by_token", "token", unique=True),
    Index("transactions_by_namespace", "namespace", "number"),
)

# How a namespace reads from a transaction on: its parent as of `pin` (empty: as it is now), and of its own refs only
# those since `since`, because a name may be closed and opened again for something else.
pins = Table(
    "pins",
    metadata,
    Column("namespace", Name, ForeignKey("namespaces.name"), primary_key=True),
    Column("transaction", TransactionNumber, ForeignKey("transactions.number"), primary_key=True),
    Column("pin", TransactionNumber),
    Column("since", TransactionNumber, nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("id", Name, primary_key=True),
    Column("namespace", Name, ForeignKey("namespaces.name"), nullable=False),
    Column("asset", Name, nullable=False),
    Column("partition", Name, nullable=False),
    Column("format", String, nullable=False),
    Column("files", JSON, nullable=False),
    Column("data_version", String, nullable=False),
    Column("rows", BigInteger),
    Column("schema", JSON, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("provenance", JSON, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("transaction", TransactionNumber, ForeignKey("transactions.number"), nullable=False),
    # What its namespace had shown of its own until then, and when its files were given up.
    Column("replaces", Name),
    Column("forgotten_at", DateTime(timezone=True)),
    Index("versions_by_asset", "asset", "partition", "transaction"),
)

refs = Table(
    "refs",
    metadata,
    Column("asset", Name, primary_key=True),
    Column("namespace", Name, ForeignKey("namespaces.name"), primary_key=True),
    Column("partition", Name, primary_key=True),
    Column("transaction", TransactionNumber, ForeignKey("transactions.number"), primary_key=True),
    # Empty: from this transaction on the namespace shows nothing of its own here.
    Column("version", Name, ForeignKey("versions.id")),
    Index("refs_by_namespace", "namespace", "transaction"),
)
