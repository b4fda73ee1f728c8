"""The places where a step can run, all behind the same few verbs."""
