"""Steps as processes of this machine, forked from one that has the location's code loaded."""
