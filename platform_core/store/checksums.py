"""Checksums of files. XXH3 runs at the speed of memory and outside Python's lock, so that threads share the work."""

from pathlib import Path

import xxhash

CHUNK = 1024 * 1024


def checksum(path: Path) -> str:
    """The checksum of a file as it is kept in the catalog. Read in pieces: a map of a file that shrinks kills us."""
    digest, buffer = xxhash.xxh3_128(), bytearray(CHUNK)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as stream:
        while size := stream.readinto(buffer):
            digest.update(view[:size])
    return f"xxh3:{digest.hexdigest()}"
