"""Notebooks as assets: declared like functions, executed by papermill in the environment of their step."""
