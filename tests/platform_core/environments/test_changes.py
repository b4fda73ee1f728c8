"""Which locations a change touches follows from imports and files, and from no list that somebody keeps."""

import subprocess
from pathlib import Path

import pytest

from platform_core.environments.changes import Touched, changed_files, changed_locations
from platform_core.errors import FrozenError
from tests.platform_core.environments.support.toys import Repository

GRAPH = {
    "platform_core": [],
    "platform_core.catalog": [],
    "platform_core.cli": [],
    "platform_core.cli.run": ["platform_core.runner.plan"],
    "platform_core.dbt": [],
    "platform_core.dbt.assets": ["platform_core.store"],
    "platform_core.runner": [],
    "platform_core.runner.__main__": ["platform_core.runner.plan"],
    "platform_core.runner.plan": [],
    "platform_core.store": [],
    "resources": [],
    "resources.warehouse": ["platform_core.catalog"],
    "code_locations": [],
    "code_locations.sql": ["platform_core.dbt.assets"],
    "code_locations.sql.tests.test_x": ["platform_core.cli.run"],
    "code_locations.plain": [],
    "code_locations.plain.facts": ["resources.warehouse"],
}
TOUCHED = Touched(GRAPH, ["sql", "plain"])


@pytest.mark.parametrize(
    ("file", "locations"),
    [
        ("platform_core/store.py", "sql"),
        ("platform_core/store/__init__.py", "sql"),
        ("resources/warehouse.py", "plain"),
        ("platform_core/catalog/migrations/0001.py", "plain"),
        ("platform_core/catalog/deleted.py", "plain"),
        ("platform_core/runner/plan.py", "sql plain"),
        ("platform_core/__init__.py", "sql plain"),
        ("platform_core/cli/run.py", ""),
        ("platform_core/cli/gone.py", ""),
        ("code_locations/plain/uv.lock", "plain"),
        ("code_locations/plain/query.sql", "plain"),
        ("code_locations/plain/tests/test_facts.py", ""),
        ("code_locations/gone/facts.py", ""),
        ("code_locations/__init__.py", "sql plain"),
        ("dbt_project/models/a.sql", "sql"),
        ("deploy/images/Dockerfile", "sql plain"),
        ("dagster.yaml", "sql plain"),
        ("uv.lock", ""),
        ("tests/test_x.py", ""),
        ("README.md", ""),
    ],
)
def test_a_file_touches_who_depends_on_it(file: str, locations: str) -> None:
    assert [name for name in ("sql", "plain") if TOUCHED.by(name, [file])] == locations.split()


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def checkout(repository: Repository) -> Repository:
    """A checkout with a commit, in which `one` and `two` stand on different modules of the platform."""
    repository.add("one", lock=False)
    repository.add("two", lock=False)
    for package, files in {
        "platform_core": {"a.py": "", "b.py": ""},
        "code_locations": {},
        "code_locations/one": {"facts.py": "from platform_core import a\n"},
        "code_locations/two": {"facts.py": "def f():\n    from platform_core import b\n"},
    }.items():
        folder = repository.folder / package
        folder.mkdir(exist_ok=True)
        for name, text in {"__init__.py": "", **files}.items():
            (folder / name).write_text(text)
    git(repository.folder, "init", "-q", "-b", "main")
    git(repository.folder, "add", ".")
    git(repository.folder, "commit", "-q", "-m", "one")
    return repository


def test_committed_uncommitted_and_new_files_all_count(checkout: Repository) -> None:
    pytest.importorskip("grimp", reason="grimp is not installed")
    assert changed_locations("main") == {}
    git(checkout.folder, "checkout", "-q", "-b", "branch")
    (checkout.folder / "platform_core/b.py").write_text("X = 1\n")
    git(checkout.folder, "commit", "-q", "-a", "-m", "two")
    assert changed_locations("main") == {"two": ["platform_core/b.py"]}
    (checkout.folder / "platform_core/a.py").write_text("X = 1\n")
    (checkout.folder / "code_locations/one/new.sql").write_text("select 1")
    assert changed_locations("main")["one"] == ["code_locations/one/new.sql", "platform_core/a.py"]


def test_what_the_other_branch_did_meanwhile_is_no_change_of_this_one(checkout: Repository) -> None:
    git(checkout.folder, "checkout", "-q", "-b", "branch")
    git(checkout.folder, "checkout", "-q", "main")
    (checkout.folder / "platform_core/a.py").write_text("X = 1\n")
    git(checkout.folder, "commit", "-q", "-a", "-m", "theirs")
    git(checkout.folder, "checkout", "-q", "branch")
    assert changed_files(checkout.folder, "main") == []


def test_a_moved_file_counts_at_both_places(checkout: Repository) -> None:
    git(checkout.folder, "mv", "platform_core/a.py", "platform_core/c.py")
    assert changed_files(checkout.folder, "main") == ["platform_core/a.py", "platform_core/c.py"]


def test_an_unknown_revision_is_a_sentence(checkout: Repository) -> None:
    with pytest.raises(
        FrozenError, match="What changed since 'nowhere' cannot be told: Not a valid object name nowhere"
    ):
        changed_files(checkout.folder, "nowhere")


def test_outside_of_git_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FrozenError, match="cannot be told: not a git repository"):
        changed_files(tmp_path, "main")
