"""New Dagster instances are copies of an empty one, and have nothing else in common."""

from pathlib import Path

import dagster as dg
import pytest

from platform_core.namespaces import Namespace
from platform_core.settings import Settings
from platform_core.ui.empty import EmptyInstance


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return tmp_path


@pytest.fixture
def empty(repository: Path, settings: Settings) -> EmptyInstance:
    return EmptyInstance(repository / "scratch", settings.model_copy(update={"repository": repository}))


def test_a_copy_is_an_instance_of_its_own(empty: EmptyInstance, repository: Path, settings: Settings) -> None:
    names = set()
    for name in ("one", "two"):
        home = empty.give(Namespace("branch", name), repository)
        assert (home / "history" / "runs.db").stat().st_size > 0  # its tables are there before anybody opens it
        with dg.DagsterInstance.from_config(str(home)) as instance:
            instance.add_dynamic_partitions("days", [name])
            assert instance.get_dynamic_partitions("days") == [name]
            names.add(instance.run_storage.get_run_storage_id())  # type: ignore[attr-defined]
    assert len(names) == 2
    assert sorted(path.name for path in (settings.home / "dagster").iterdir()) == ["branch-one", "branch-two"]


def test_what_is_there_is_kept(empty: EmptyInstance, repository: Path, settings: Settings) -> None:
    home = settings.home / "dagster" / "branch-one"
    home.mkdir(parents=True)
    assert empty.give(Namespace("branch", "one"), repository) == home
    assert [path.name for path in home.iterdir()] == ["dagster.yaml"]
