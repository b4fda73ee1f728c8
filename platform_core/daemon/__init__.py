"""The daemon of a Dagster instance: several processes may stand by, one of them leads."""
