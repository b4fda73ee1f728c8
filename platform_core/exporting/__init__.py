"""Versions for other people's tools."""
