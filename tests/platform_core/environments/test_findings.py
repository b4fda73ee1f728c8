"""What `headrace check` says of environments."""

import pytest

from platform_core.environments.findings import notes_on, problems_of
from tests.platform_core.environments.support.toys import Repository


def test_a_locked_and_synced_location_has_no_problems(repository: Repository) -> None:
    repository.add("toys", "toy==1.0")
    assert problems_of("toys") == []
    repository.sync("toys")
    assert problems_of("toys") == []
    assert notes_on("toys") == []


def test_a_pyproject_that_was_edited_after_the_lock_is_found(repository: Repository) -> None:
    folder = repository.add("toys", "toy==1.0")
    repository.add("toys", "toy==2.0", lock=False)
    (problem,) = problems_of("toys")
    assert problem.startswith(f"{folder}/uv.lock no longer matches {folder}/pyproject.toml")
    assert problem.endswith(f"uv lock --project {folder}")


def test_so_is_a_new_dependency_of_the_platform(repository: Repository) -> None:
    repository.add("toys")
    root = repository.folder / "pyproject.toml"
    root.write_text(root.read_text() + 'dependencies = ["kit"]\n')
    assert "no longer matches" in problems_of("toys")[0]


def test_a_venv_that_is_behind_its_lock_is_found(repository: Repository) -> None:
    repository.add("toys", "toy==1.0")
    repository.sync("toys")
    repository.add("toys", "toy==2.0")
    (problem,) = problems_of("toys")
    assert "toy 1.0 is installed, which the lock does not have" in problem


def test_a_source_that_no_lock_pins_is_found(repository: Repository) -> None:
    other = repository.folder / "elsewhere"
    other.mkdir()
    (other / "pyproject.toml").write_text('[project]\nname = "elsewhere"\nversion = "1"\n[tool.uv]\npackage = true\n')
    folder = repository.add("toys", "elsewhere", lock=False)
    path = folder / "pyproject.toml"
    path.write_text(
        path.read_text().replace("[tool.uv.sources]", '[tool.uv.sources]\nelsewhere = { path = "../../elsewhere" }')
    )
    repository.uv("lock", "--project", str(folder))
    (problem,) = problems_of("toys")
    assert "elsewhere 1 comes from the folder ../../elsewhere, which no lock pins" in problem


def test_no_lock_file_is_one_problem(repository: Repository) -> None:
    repository.add("toys", lock=False)
    (problem,) = problems_of("toys")
    assert "Location toys has no lock file" in problem


def test_a_withdrawn_version_is_a_note_with_what_to_do(repository: Repository) -> None:
    folder = repository.add("toys", "toy==1.0")
    repository.index.withdraw("toy", "1.0", "it broke")
    try:
        assert notes_on("toys") == [
            "toys locks what its index has withdrawn: toy 1.0 (it broke); take another version with:"
            f" uv lock --project {folder} --upgrade-package toy"
        ]
    finally:
        repository.index.add("toy", "1.0")


def test_an_index_that_cannot_be_asked_is_a_note(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.add("toys", "toy==1.0")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(repository.folder / "empty"))
    (note,) = notes_on("toys")
    assert "cannot be asked" in note
