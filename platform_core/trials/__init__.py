"""Computing one asset again and again, with other parameters, beside what its namespace shows."""
