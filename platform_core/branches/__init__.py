"""Branch deployments: a namespace for each pull request, opened without a copy and promoted without recompute."""
