"""dbt models as assets: they read through the namespace and write versions, in an in-memory DuckDB that nobody shares."""
