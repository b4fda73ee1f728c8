"""The SQL tables of the catalog. All are append-only except `namespaces`, `branches` and `versions.forgotten_at`."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
)

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

# The branch deployment that a namespace belongs to. Its row is there until everything that it had is removed.
branches = Table(
    "branches",
    metadata,
    Column("namespace", Name, ForeignKey("namespaces.name"), primary_key=True),
    Column("git_branch", String, nullable=False),
    Column("base_commit", String, nullable=False),
    Column("checkout", String, nullable=False),
    # Empty: it stays until somebody closes it.
    Column("expires_at", DateTime(timezone=True)),
)

# Who let versions of a branch become production's, and by which token, which is good for one promotion.
promotions = Table(
    "promotions",
    metadata,
    Column("transaction", TransactionNumber, ForeignKey("transactions.number"), primary_key=True),
    Column("namespace", Name, ForeignKey("namespaces.name"), nullable=False),
    Column("branch", Name, ForeignKey("namespaces.name"), nullable=False),
    Column("digest", String, nullable=False),
    Column("token", String, nullable=False),
    Column("issuer", String, nullable=False),
    Column("issued_at", DateTime(timezone=True), nullable=False),
    Index("promotions_by_token", "token", unique=True),
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
    # Pictures that were drawn while it was computed: files beside the value's own.
    Column("figures", JSON),
    # What its namespace had shown of its own until then, and when its files were given up.
    Column("replaces", Name),
    Column("forgotten_at", DateTime(timezone=True)),
    Index("versions_by_asset", "asset", "partition", "transaction"),
    Index("versions_by_namespace", "namespace", "transaction"),
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

# Names that people give to versions of an asset, such as `champion`. Each row says what a name means from a transaction
# on, in one namespace.
aliases = Table(
    "aliases",
    metadata,
    Column("asset", Name, primary_key=True),
    Column("name", Name, primary_key=True),
    Column("namespace", Name, ForeignKey("namespaces.name"), primary_key=True),
    Column("transaction", TransactionNumber, ForeignKey("transactions.number"), primary_key=True),
    # Empty: from this transaction on the namespace gives the name to nothing of its own.
    Column("version", Name, ForeignKey("versions.id")),
)

# As of which transaction a run reads: the newest one when it started.
run_starts = Table(
    "run_starts",
    metadata,
    # No reference: a namespace exists from its first write on.
    Column("namespace", Name, primary_key=True),
    Column("run", Name, primary_key=True),
    Column("transaction", TransactionNumber, nullable=False),
)

# What people say of versions afterwards, each row from a transaction on, in one namespace.
tags = Table(
    "tags",
    metadata,
    Column("asset", Name, primary_key=True),
    Column("version", Name, ForeignKey("versions.id"), primary_key=True),
    Column("name", Name, primary_key=True),
    Column("namespace", Name, ForeignKey("namespaces.name"), primary_key=True),
    Column("transaction", TransactionNumber, ForeignKey("transactions.number"), primary_key=True),
    # Empty: from this transaction on the namespace says nothing of its own under this name.
    Column("value", String),
)

# What was asked of a sweep: it is finished, by whatever process, when each of its numbers has a row in `trials`.
sweeps = Table(
    "sweeps",
    metadata,
    Column("id", Name, primary_key=True),
    Column("namespace", Name, ForeignKey("namespaces.name"), nullable=False),
    Column("transaction", TransactionNumber, ForeignKey("transactions.number"), nullable=False),
    Column("asset", Name, nullable=False),
    Column("partition", Name, nullable=False),
    Column("request", JSON, nullable=False),
)

# How each trial ended, written in the transaction that keeps its version; a trial that has no row has not ended.
trials = Table(
    "trials",
    metadata,
    Column("sweep", Name, ForeignKey("sweeps.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("namespace", Name, ForeignKey("namespaces.name"), nullable=False),
    Column("transaction", TransactionNumber, ForeignKey("transactions.number"), nullable=False),
    Column("state", String, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("metrics", JSON, nullable=False),
    # The steps of the metric of the sweep, by which other trials are stopped early.
    Column("reports", JSON, nullable=False),
    Column("sentence", String, nullable=False),
    # Empty: it failed, or was stopped before it had a value.
    Column("version", Name, ForeignKey("versions.id")),
)
