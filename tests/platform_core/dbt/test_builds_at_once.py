"""dbt in ten namespaces at once: none waits for another."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import polars as pl

from platform_core.catalog.catalog import Catalog
from platform_core.dbt.project import parsed_project
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.store.local import LocalStore
from platform_core.store.values import Target, write_version
from tests.platform_core.dbt import builds_at_once

RAW = pl.DataFrame({"id": [1, 2], "customer": ["tess", "tess"], "day": ["mon", "tue"]})


def test_ten_builds_in_ten_namespaces_at_once(sql: dg.AssetsDefinition, catalog: Catalog, store: LocalStore) -> None:
    assert sql.keys
    catalog.commit(PRODUCTION, [write_version(store, RAW, Target(PRODUCTION, "shop/raw"))])
    program = [sys.executable, str(Path(builds_at_once.__file__)), str(parsed_project())]
    done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=900)
    assert done.stdout.strip() == str([0] * builds_at_once.BUILDS), done.stderr
    for number in range(builds_at_once.BUILDS):
        own = catalog.own_versions(Namespace.of_user(f"n{number}"))
        assert {version.asset for version in own} == {"shop/orders", "shop/days", "shop/customers"}
        read = {item.namespace for version in own for item in version.provenance.inputs if item.asset == "shop/raw"}
        assert read == {"production"}
    assert {item.version.asset for item in catalog.current(PRODUCTION)} == {"shop/raw"}
