"""Names of assets and partitions as folder names. The one place where a path is built from text that people chose."""

import hashlib
import re
from urllib.parse import quote

from platform_core.errors import UnsupportedValueError

SEGMENT_LIMIT = 120
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def segment(name: str) -> str:
    """A folder name for any text: never `.` or `..`, never a separator, and different for different texts.

    Upper case is escaped too, so that two names stay apart on a file system that ignores case, and so is `~`, which
    marks a name that had to be shortened.
    """
    quoted = quote(name, safe="=@+,").replace("~", "%7E")
    safe = re.sub(r"%..|[A-Z]", lambda match: match[0] if match[0][0] == "%" else f"%{ord(match[0]):02X}", quoted)
    if safe.startswith("."):
        safe = "%2E" + safe[1:]
    if len(safe) <= SEGMENT_LIMIT and safe:
        return safe
    return f"{safe[: SEGMENT_LIMIT - 17]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def require_storable(*names: str) -> None:
    """Refuses names with what no database keeps: a NUL, or one half of a character."""
    for name in names:
        if _UNSTORABLE.search(name):
            raise UnsupportedValueError(f"{name!r} holds a character that cannot be stored; choose another name.")


def moved_key(key: str, version: str, folder: str) -> str:
    """The key of a version's file, were its files in another folder."""
    _, _, within = key.partition(f"/{segment(version)}/")
    return f"{folder}/{within}"


def version_key(namespace: str, asset: str, partition: str, version: str) -> str:
    """The folder of a version within the store. Starts with the namespace, so that rights can be given by prefix."""
    folders = [*asset.split("/"), *([partition] if partition else []), version]
    return "/".join([namespace, *map(segment, folders)])
