"""What an asset tells of a version while it computes it, and what is made of that: figures, comparisons, cards."""
