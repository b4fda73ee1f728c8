"""A catalog and a store with a small production in them, and a branch of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from platform_core.branches.deployment import Deployment
from platform_core.catalog.branch_values import Branch
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.engine import open_engine
from platform_core.catalog.values import InputVersion, Provenance, Version
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.settings import Settings
from platform_core.store.local import LocalStore
from platform_core.store.values import Target, read_versions, write_version
from platform_core.ui.empty import EmptyInstance
from tests.platform_core.branches.descriptions import described

NEW_ENGINE = Namespace("branch", "new-engine")


@dataclass
class World:
    """What branches are made of: production's code is `described`, and so is the branch's until a test changes it."""

    catalog: Catalog
    store: LocalStore
    settings: Settings
    assets: dict[str, dict[str, Any]]

    def compute(self, namespace: Namespace, asset: str, value: Any, partition: str = "") -> Version:
        """What a step does: reads what the namespace shows, writes, commits."""
        made = Provenance(
            run_id=f"run-of-{namespace.slug}",
            code_version=self.assets[asset]["code"],
            environment=self.assets[asset]["environment"],
            inputs=tuple(self._inputs(namespace, asset)),
        )
        draft = write_version(self.store, value, Target(namespace, asset, partition, {}, made))
        return self.catalog.commit(namespace, [draft])[0]

    def _inputs(self, namespace: Namespace, asset: str) -> list[InputVersion]:
        shown = [item for up in self.assets[asset]["reads"] for item in self.catalog.resolve(namespace, up).values()]
        return [
            InputVersion(s.version.asset, s.version.asset, s.version.partition, s.version.id, s.shown_by) for s in shown
        ]

    def value(self, namespace: Namespace, asset: str, partition: str = "") -> Any:
        found = self.catalog.resolve(namespace, asset)
        return read_versions(self.store, [found[partition].version]) if partition in found else None

    def open(self, namespace: Namespace = NEW_ENGINE) -> Deployment:
        branch = Branch(str(namespace), namespace.name, "c0ffee", str(self.settings.repository), None)
        self.catalog.open_branch(branch)
        return Deployment(branch, self.settings)

    def edit(self, asset: str, **given: Any) -> None:
        """Changes the code of an asset."""
        self.assets = self.assets | {asset: self.assets[asset] | given}


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a Dagster instance in which nothing happened, to copy: making its tables takes seconds."""
    return new_empty_home(tmp_path_factory.mktemp("dagster"))


def new_empty_home(folder: Path) -> Path:
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return EmptyInstance(folder, Settings(home=folder, repository=folder)).give(NEW_ENGINE, folder)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return new_world(tmp_path)


def new_world(folder: Path) -> World:
    settings = Settings(home=folder, repository=folder)
    assets = {
        "t/fact": described(layer="fact", keys=["1", "2"]),
        "t/feature": described(("t/fact",)),
        "t/model": described(("t/feature",), layer="model"),
        "t/other": described(("t/fact",)),
    }
    store = LocalStore(Path(settings.store))
    world = World(Catalog(open_engine(settings.catalog)), store, settings, assets)
    for partition in ("1", "2"):
        world.compute(PRODUCTION, "t/fact", {"rows": int(partition)}, partition)
    for asset in ("t/feature", "t/model", "t/other"):
        world.compute(PRODUCTION, asset, {"of": asset})
    return world
