"""The real command on the real location: production is built once, tests work in namespaces of their own on top."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from platform_core.catalog.opening import open_catalog
from platform_core.catalog.values import Version
from platform_core.namespaces import Namespace
from tests.known_models import KnownModels

REPOSITORY = Path(__file__).resolve().parents[2]
FLIGHTS = REPOSITORY / "code_locations" / "flights" / ".venv" / "bin" / "python"


@dataclass(frozen=True)
class Headrace:
    """The `headrace` command with a home and a namespace."""

    home: Path
    namespace: str
    variables: dict[str, str] = field(default_factory=dict)

    def within(self, namespace: str) -> "Headrace":
        return replace(self, namespace=namespace)

    def having(self, **variables: str) -> "Headrace":
        return replace(self, variables={**self.variables, **variables})

    def __call__(self, *arguments: str, cwd: Path = REPOSITORY) -> "subprocess.CompletedProcess[str]":
        """Runs the command on a wide terminal. Both outputs are in `stdout`."""
        command = [str(REPOSITORY / ".venv" / "bin" / "headrace"), *arguments]
        return subprocess.run(
            command,
            cwd=cwd,
            env=self.environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )

    def versions(self, asset: str, location: str = "flights") -> list[Version]:
        """The versions of an asset, newest first, straight from the catalog."""
        catalog = open_catalog(f"sqlite:///{self.home}/catalog.db")
        history = catalog.history(Namespace.parse(self.namespace), f"{location}/{asset}")
        return [shown.version for shown in history]

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HEADRACE_", "DAGSTER_"))}
        ours = {
            "HEADRACE_HOME": str(self.home),
            "HEADRACE_NAMESPACE": self.namespace,
            "COLUMNS": "200",
            "LC_ALL": "C.UTF-8",
        }
        return {**kept, **ours, **self.variables}


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory, known_models: KnownModels) -> Iterator[Headrace]:
    """Production with seven months of facts and features and the one model that they allow."""
    if not FLIGHTS.is_file():
        pytest.skip("the environment of the location flights is not installed (make test installs it)")
    home = tmp_path_factory.mktemp("headrace")
    headrace = Headrace(home, "production")
    deliver(home / "sources", until="2013-07")
    known_models.lend(home)
    done = headrace("run", "--partition", "2013-01..2013-07")
    assert done.returncode == 0, done.stdout
    known_models.learn(home)
    (home / "first_run.txt").write_text(done.stdout)
    yield headrace
    shutil.rmtree(home)


def deliver(folder: Path, until: str) -> None:
    command = [str(FLIGHTS), "-m", "code_locations.flights.deliver", "--into", str(folder), "--until", until]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)


@pytest.fixture
def sources(production: Headrace, tmp_path: Path) -> Path:
    """A copy of the delivered files that a test may spoil."""
    return Path(shutil.copytree(production.home / "sources", tmp_path / "sources"))
