"""Names of assets and partitions as folder names. The one place where a path is built from text that people chose."""

import hashlib
from urllib.parse import quote

SEGMENT_LIMIT = 120


def segment(name: str) -> str:
    """A folder name for any text: never `.` or `..`, never a separator, and different for different texts.

    Upper case is escaped too, so that two names stay apart on a file system that ignores case.
    """
    escaped = "".join(f"%{ord(c):02X}" if c.isupper() and c.isascii() else c for c in name)
    safe = quote(escaped, safe="%=@+,-_. ").replace(" ", "%20")
    if safe.startswith("."):
        safe = "%2E" + safe[1:]
    if len(safe) <= SEGMENT_LIMIT and safe:
        return safe
    return f"{safe[: SEGMENT_LIMIT - 17]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def version_key(namespace: str, asset: str, partition: str, version: str) -> str:
    """The folder of a version within the store. Starts with the namespace, so that rights can be given by prefix."""
    folders = [*asset.split("/"), *([partition] if partition else []), version]
    return "/".join([namespace, *map(segment, folders)])
