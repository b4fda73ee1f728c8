"""SQL over the versions that a namespace shows: assets are tables by their names, results are Arrow or Parquet."""
