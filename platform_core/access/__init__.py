"""Who may do what in the UI: everyone sees, a team runs what is its own, the rest needs a role; denied by default."""
