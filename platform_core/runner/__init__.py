"""Runs inside a location's own environment and tells the command line, in JSON lines, what happens."""
