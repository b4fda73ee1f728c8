"""The store at a location."""

from functools import lru_cache
from pathlib import Path

from platform_core.errors import SettingsError
from platform_core.store.store import Store


@lru_cache(maxsize=8)
def open_store(location: str) -> Store:
    """The store at a location; one per process, so that what was verified once is remembered."""
    from platform_core.store.local import LocalStore

    if location.startswith("s3://"):
        from platform_core.store.s3 import S3Store

        return S3Store(location)
    if "://" in location:
        raise SettingsError(f"HEADRACE_STORE: '{location}' is not supported; name a folder or s3://bucket/prefix.")
    return LocalStore(Path(location))
