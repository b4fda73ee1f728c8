"""The SQL tables of the catalog. All are append-only except `namespaces`."""

from sqlalchemy import JSON, BigInteger, Column, DateTime, ForeignKey, Index, Integer, MetaData, String, Table

metadata = MetaData()

# SQLite numbers rows by itself only for a column of the type INTEGER.
TransactionNumber = BigInteger().with_variant(Integer, "sqlite")

namespaces = Table(
    "namespaces",
    metadata,
    Column("name", String, primary_key=True),
    Column("parent", String, ForeignKey("namespaces.name")),
    # The parent's transaction as of which this namespace reads through; empty: whatever the parent shows now.
    Column("pin", TransactionNumber),
    Column("owner", String, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

transactions = Table(
    "transactions",
    metadata,
    Column("number", TransactionNumber, primary_key=True, autoincrement=True),
    Column("namespace", String, ForeignKey("namespaces.name"), nullable=False),
    Column("kind", String, nullable=False),
    Column("author", String, nullable=False),
    Column("message", String, nullable=False),
    Column("committed_at", DateTime(timezone=True), nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("id", String, primary_key=True),
    Column("namespace", String, ForeignKey("namespaces.name"), nullable=False),
    Column("asset", String, nullable=False),
    Column("partition", String, nullable=False),
    Column("format", String, nullable=False),
    Column("files", JSON, nullable=False),
    Column("data_version", String, nullable=False),
    Column("rows", BigInteger),
    Column("schema", JSON, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("provenance", JSON, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("transaction", TransactionNumber, ForeignKey("transactions.number"), nullable=False),
    Index("versions_by_asset", "asset", "partition", "transaction"),
)

refs = Table(
    "refs",
    metadata,
    Column("asset", String, primary_key=True),
    Column("namespace", String, ForeignKey("namespaces.name"), primary_key=True),
    Column("partition", String, primary_key=True),
    Column("transaction", TransactionNumber, ForeignKey("transactions.number"), primary_key=True),
    Column("version", String, ForeignKey("versions.id"), nullable=False),
    Index("refs_by_namespace", "namespace", "transaction"),
)
