"""Versions to commit where a test is not about files."""

from typing import Any

from platform_core.catalog.values import Version, new_version_id
from platform_core.namespaces import Namespace

TESS = Namespace("user", "tess")
BRANCH = Namespace("branch", "new-engine")


def draft(asset: str, partition: str = "", namespace: Namespace = TESS, **given: Any) -> Version:
    values = {"id": new_version_id(), "format": "parquet", "files": (), "data_version": "d", **given}
    return Version(namespace=str(namespace), asset=asset, partition=partition, **values)
