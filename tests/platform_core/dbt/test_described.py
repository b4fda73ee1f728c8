"""What is kept of dbt models is all that dagster-dbt says of them, and is made anew when anything may differ."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster_dbt import dbt_assets

from platform_core.automation import REBUILD_ON_CHANGE
from platform_core.compute.handed_on import variables_of_what_was_found
from platform_core.dbt import described as module
from platform_core.dbt.described import described, from_text, manifest_of, to_text
from platform_core.dbt.project import parsed_project
from platform_core.dbt.translation import Translator

LOCATION = """
import sys
from platform_core.dbt.assets import dbt_models
models = dbt_models("shop")
loaded = [name for name in ("dbt", "dagster_dbt", "sqlalchemy") if name in sys.modules]
print(sorted(key.to_user_string() for key in models.keys), loaded)
"""


def test_it_says_what_dagster_dbt_says(sql: dg.AssetsDefinition) -> None:
    manifest = manifest_of(parsed_project())

    @dbt_assets(name="shop_dbt", manifest=manifest, select="fqn:headrace.shop", dagster_dbt_translator=Translator())
    def theirs() -> Iterator[Any]:
        yield

    assert {spec.key: spec for spec in sql.specs} == {spec.key: spec for spec in theirs.specs}
    assert {check.key: check for check in sql.check_specs} == {check.key: check for check in theirs.check_specs}
    assert (sql.op.tags, sql.can_subset) == (theirs.op.tags, theirs.can_subset)


def test_once_it_is_kept_definitions_load_without_dbt(sql: dg.AssetsDefinition) -> None:
    done = subprocess.run([sys.executable, "-c", LOCATION], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{sorted(key.to_user_string() for key in sql.keys)} []"


def test_other_models_and_another_platform_are_described_anew(
    sql: dg.AssetsDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def translated(_parsed: Path, select: str) -> Any:
        made.append(select)
        return [dg.AssetSpec(["shop", f"n{len(made)}"], automation_condition=REBUILD_ON_CHANGE)], []

    monkeypatch.setattr(module, "_translated", translated)
    described("one")
    described("one")
    described("another")
    monkeypatch.setattr(module, "version", lambda name: f"{name} 2")
    specs, _ = described("one")
    assert made == ["one", "another", "one"]
    assert [spec.key.path[-1] for spec in specs] == ["n3"]


def test_a_step_elsewhere_is_told_and_needs_neither_manifest_nor_dbt(sql: dg.AssetsDefinition, tmp_path: Path) -> None:
    told = variables_of_what_was_found()
    environment = {**os.environ, **told, "HEADRACE_HOME": str(tmp_path / "empty"), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", LOCATION], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{sorted(key.to_user_string() for key in sql.keys)} []"
    assert not list((tmp_path / "empty").rglob("manifest.json"))


def test_what_cannot_be_kept_is_refused_and_not_lost() -> None:
    partitioned = dg.AssetSpec("orders", partitions_def=dg.StaticPartitionsDefinition(["a"]))
    with pytest.raises(NotImplementedError, match="something of assets"):
        to_text(([partitioned], []))


def test_nothing_is_lost_of_a_rich_check() -> None:
    checks = [
        dg.AssetCheckSpec("near", asset="orders", additional_deps=["customers"], blocking=True, metadata={"a": 1})
    ]
    spec = dg.AssetSpec(
        "orders", deps=["raw"], owners=["team:shop"], kinds={"dbt"}, automation_condition=REBUILD_ON_CHANGE
    )
    assert from_text(to_text(([spec], checks))) == ([spec], checks)
