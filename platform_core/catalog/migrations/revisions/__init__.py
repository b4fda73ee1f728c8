"""One module for each revision. A revision that was released is never edited; it knows nothing of today's code."""
