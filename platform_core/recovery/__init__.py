"""Backups of the catalog and of Dagster's storage, and how to have them back."""
