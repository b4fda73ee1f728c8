"""Write, audit, publish: what stands between what a function returns and what readers see."""
