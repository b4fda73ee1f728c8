"""What Dagster is told of dbt models, kept beside the manifest: to import dbt takes longer than everything else."""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg

from platform_core.automation import REBUILD_ON_CHANGE
from platform_core.compute.handed_on import hand_on, handed_on
from platform_core.dagster_internals import deserialize_value, serialize_value
from platform_core.dbt.project import parsed_project, project_hash

Described = tuple[Sequence[dg.AssetSpec], Sequence[dg.AssetCheckSpec]]
_OF_ASSET = ("key", "description", "metadata", "group_name", "code_version", "owners", "tags", "skippable")
_OF_CHECK = ("name", "description", "metadata", "blocking")


def described(select: str) -> Described:
    """The assets and checks that the selected models are, as dagster-dbt makes them of the manifest.

    A step elsewhere is told by the process that ordered it: its machine may have no manifest yet, nor need one.
    """
    name = f"{project_hash()}-{_made_by(select)}"
    text = handed_on(name) or _found(f"assets-{name}.json", select)
    hand_on(name, text)
    return from_text(text)


def _found(name: str, select: str) -> str:
    parsed = parsed_project()
    kept = parsed / name
    if not kept.is_file():
        _keep(kept, to_text(_translated(parsed, select)))
    return kept.read_text()


def _made_by(select: str) -> str:
    """Names what a description depends on besides the manifest: what was asked for, and what makes it."""
    digest = hashlib.sha256(f"{select}\0{version('dagster')}\0{version('dagster-dbt')}".encode())
    for name in ("translation.py", "described.py"):
        digest.update((Path(__file__).parent / name).read_bytes())
    return digest.hexdigest()[:16]


def _translated(parsed: Path, select: str) -> Described:
    from platform_core.dbt.translation import translated

    return translated(manifest_of(parsed), select)


def manifest_of(parsed: Path) -> Mapping[str, Any]:
    manifest: Mapping[str, Any] = json.loads((parsed / "manifest.json").read_text())
    return manifest


def _keep(path: Path, text: str) -> None:
    """At once, as another process may read it, or write the same, at this moment."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        file.write(text)
    os.replace(file.name, path)


def to_text(described: Described) -> str:
    """A description as `from_text` reads it; nothing of it is lost."""
    specs, checks = described
    text = serialize_value({"specs": [_said_of(spec) for spec in specs], "checks": [_said_of_check(c) for c in checks]})
    if from_text(text) != (list(specs), list(checks)):
        raise NotImplementedError("dagster-dbt says something of assets that platform_core.dbt.described does not keep")
    return text


def from_text(text: str) -> Described:
    said: Any = deserialize_value(text)
    return [_spec(spec) for spec in said["specs"]], [_check(check) for check in said["checks"]]


def _said_of(spec: dg.AssetSpec) -> dict[str, Any]:
    deps = [
        {"asset": dep.asset_key, "metadata": dep.metadata, "partition_mapping": dep.partition_mapping}
        for dep in spec.deps
    ]
    return {**{name: getattr(spec, name) for name in _OF_ASSET}, "deps": deps}


def _spec(said: Mapping[str, Any]) -> dg.AssetSpec:
    deps = [dg.AssetDep(**dep) for dep in said["deps"]]
    return dg.AssetSpec(**{**said, "deps": deps}, automation_condition=REBUILD_ON_CHANGE)


def _said_of_check(check: dg.AssetCheckSpec) -> dict[str, Any]:
    additional = [dep.asset_key for dep in check.additional_deps]
    return {**{name: getattr(check, name) for name in _OF_CHECK}, "asset": check.asset_key, "additional": additional}


def _check(said: Mapping[str, Any]) -> dg.AssetCheckSpec:
    given = dict(said)
    return dg.AssetCheckSpec(additional_deps=given.pop("additional"), **given)
