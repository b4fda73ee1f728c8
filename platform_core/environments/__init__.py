"""Environments: from one lock file of a location, the venv here and the image elsewhere, both named by one hash."""
