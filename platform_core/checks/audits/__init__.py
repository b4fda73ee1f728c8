"""Checks of a value beyond its schema, each declared with one line: `checks=[volume(), drift()]`."""
