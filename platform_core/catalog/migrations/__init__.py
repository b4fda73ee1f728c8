"""How the tables of older catalogs become today's, revision by revision, with Alembic."""
