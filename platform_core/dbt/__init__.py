"""dbt models as assets: they read through the namespace and write versions, in a DuckDB in memory of their own."""
