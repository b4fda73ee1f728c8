"""Every performance claim, measured against its peers in one run: `python -m benchmarks`."""
