"""Versions over time: comparing two, going back, removing what nobody can reach, proving that the rest is sound."""
