"""What a deployment tells of itself as metrics for Prometheus."""
