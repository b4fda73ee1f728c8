"""Where steps run: what a step needs, who may have it, and the backends that give it."""
