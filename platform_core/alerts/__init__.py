"""Telling the owner: what fails, what is stale, what should have run and did not, and when it is well again."""
