"""Checksums of files. XXH3 runs at the speed of memory and outside Python's lock, so that threads share the work."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import xxhash

CHUNK = 1024 * 1024


def checksum_of(pieces: Iterable[Any]) -> str:
    """The checksum of a content that comes in pieces of any kind of memory."""
    digest = xxhash.xxh3_128()
    for piece in pieces:
        digest.update(piece)
    return f"xxh3:{digest.hexdigest()}"


def checksum(path: Path) -> str:
    """The checksum of a file as it is kept in the catalog. Read in pieces: a map of a file that shrinks kills us."""
    digest, buffer = xxhash.xxh3_128(), bytearray(CHUNK)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as stream:
        while size := stream.readinto(buffer):
            digest.update(view[:size])
    return f"xxh3:{digest.hexdigest()}"
