"""The prefix of a bucket where the backend keeps what Batch has no room for."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from platform_core.compute.backends.batch.calls import Calls, calling
from platform_core.errors import SettingsError

_MOST_DELETED = 1000  # objects per call
_MOST_METADATA = 1500  # S3 takes 2 KB, names and overhead included


class Folder:
    """Objects below `s3://bucket/prefix`.

    Raises:
        SettingsError: it is no such address.
    """

    def __init__(self, url: str, calls: Calls) -> None:
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.netloc:
            raise SettingsError(f"The folder of the Batch backend must be s3://bucket/prefix, not '{url}'.")
        self.bucket, self._prefix = parts.netloc, parts.path.strip("/")
        self._calls = calls

    def __str__(self) -> str:
        return self.url("")

    def key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name

    def url(self, name: str) -> str:
        return f"s3://{self.bucket}/{self.key(name)}"

    @calling()
    def put(self, name: str, content: bytes, labels: Mapping[str, str]) -> None:
        self._s3.put_object(Bucket=self.bucket, Key=self.key(name), Body=content, Metadata=as_metadata(labels))

    @calling()
    def get(self, name: str) -> bytes:
        return bytes(self._s3.get_object(Bucket=self.bucket, Key=self.key(name))["Body"].read())

    @calling()
    def names(self, below: str) -> list[str]:
        """The objects whose names begin with `below/`. S3 lists what was written a moment ago."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.key(f"{below}/"))
        whole = len(self.key(""))
        return [item["Key"][whole:] for page in pages for item in page.get("Contents", [])]

    @calling()
    def delete(self, names: Iterable[str]) -> None:
        keys = [{"Key": self.key(name)} for name in names]
        for start in range(0, len(keys), _MOST_DELETED):
            some = {"Objects": keys[start : start + _MOST_DELETED], "Quiet": True}
            self._s3.delete_objects(Bucket=self.bucket, Delete=some)

    @property
    def _s3(self) -> Any:
        return self._calls.client("s3")


def as_metadata(labels: Mapping[str, str]) -> dict[str, str]:
    """Labels as S3 takes them with an object: plain characters, and not too many of them."""
    kept: dict[str, str] = {}
    for name, value in labels.items():
        plain = re.sub(r"[^a-z0-9-]", "-", name.lower()), re.sub(r"[^ -~]", "_", value)
        if sum(map(len, (*kept, *kept.values(), *plain))) <= _MOST_METADATA:
            kept[plain[0]] = plain[1]
    return kept
