"""The files of versions: where they lie, how values become files, and how files become values of the type asked for."""
