"""Which versions exist, which of them each namespace shows, and where each came from. Knows no files and no Dagster."""
