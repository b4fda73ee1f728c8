"""What the platform asks of Dagster and Dagster has no public way for; each function says which one is missing."""
