"""The UI: one process serves the current namespace and all branch deployments, each with its own Dagster instance."""
