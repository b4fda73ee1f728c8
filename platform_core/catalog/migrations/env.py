"""What Alembic runs: the revisions, on the connection it was given, which commits or rolls back all of them."""

from alembic import context

from platform_core.catalog.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table="catalog_revision"
)
context.run_migrations()
