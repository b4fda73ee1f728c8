"""The `headrace` command, one module per noun. It never imports Dagster: locations run in their own interpreters."""
