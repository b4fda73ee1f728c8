"""Under which names the metadata of a version holds what is no metric: known to whoever writes and whoever reads."""

PARAMETERS = "headrace/parameters"  # in the event alone; a version has them in its provenance
SERIES = "headrace/series"  # by metric the steps and numbers
CHECKS = "headrace/checks"  # of a model: what each check said before it was published
CARD = "headrace/card"  # of a model: what its definition said then
LIMITS = "limits"  # in the metadata of a definition: what the model is not for
