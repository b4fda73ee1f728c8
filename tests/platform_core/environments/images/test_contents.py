"""What an image holds: the code of one location, and neither tests nor secrets."""

import json
import subprocess
from pathlib import Path

import pytest

from platform_core.environments.environment import environment_of
from platform_core.environments.images.contents import code_files, code_hash, copy_code
from platform_core.errors import FrozenError
from platform_core.provenance import BUILT_FROM
from tests.platform_core.environments.support.toys import Repository


def files(checkout: Repository) -> set[str]:
    return {str(path.relative_to(checkout.folder)) for path in code_files("app", checkout.folder)}


def test_neither_tests_nor_the_command_nor_hidden_files_are_in(checkout: Repository) -> None:
    found = files(checkout)
    assert {"platform_core/settings.py", "resources/__init__.py", "dagster.yaml"} <= found
    assert {name for name in found if name.startswith("code_locations/")} == {
        "code_locations/__init__.py",
        "code_locations/app/__init__.py",
        "code_locations/app/definitions.py",
        "code_locations/app/pyproject.toml",
        "code_locations/app/uv.lock",
    }
    assert not any(name.startswith("platform_core/cli/") for name in found)


def test_what_git_ignores_is_not_in_and_what_it_does_not_know_yet_is(checkout: Repository) -> None:
    app = checkout.folder_of("app")
    (app / "facts.py").touch()
    (app / "credentials.json").write_text("{}")
    assert "code_locations/app/credentials.json" in files(checkout)
    (checkout.folder / ".gitignore").write_text("credentials.json\n")
    subprocess.run(["git", "init", "-q", str(checkout.folder)], check=True)
    found = files(checkout)
    assert "code_locations/app/facts.py" in found
    assert "code_locations/app/credentials.json" not in found


def test_git_and_a_folder_without_it_agree(checkout: Repository) -> None:
    without = code_hash("app")
    subprocess.run(["git", "init", "-q", str(checkout.folder)], check=True)
    assert code_hash("app") == without


def test_the_dbt_project_is_in_where_a_location_uses_it(checkout: Repository) -> None:
    model = checkout.folder / "dbt_project/models/a.sql"
    model.parent.mkdir(parents=True)
    model.write_text("select 1")
    assert "dbt_project/models/a.sql" not in files(checkout)
    (checkout.folder_of("app") / "sql.py").write_text("from platform_core.dbt.assets import x\n")
    assert "dbt_project/models/a.sql" in files(checkout)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("code_locations/app/definitions.py", True),
        ("platform_core/settings.py", True),
        ("deploy/images/Dockerfile", True),
        ("platform_core/cli/main.py", False),
        ("code_locations/app/tests/test_app.py", False),
        ("pyproject.toml", False),
    ],
)
def test_the_hash_changes_with_what_is_inside(name: str, counts: bool, checkout: Repository) -> None:
    before = code_hash("app")
    with (checkout.folder / name).open("a") as file:
        file.write("\n# more\n")
    assert (code_hash("app") != before) == counts


def test_another_location_does_not_count(checkout: Repository) -> None:
    before = code_hash("app")
    checkout.add("other", lock=False)
    assert code_hash("app") == before


def test_the_copy_is_a_repository_of_one_location_that_knows_its_own_hash(checkout: Repository, tmp_path: Path) -> None:
    checkout.add("other", lock=False)
    copy = tmp_path / "copy"
    copy_code(environment_of("app"), checkout.folder, copy, "0123abcd")
    assert json.loads((copy / BUILT_FROM).read_text()) == {"code": code_hash("app"), "git_commit": "0123abcd"}
    assert code_hash("app", copy) == code_hash("app")
    assert environment_of("app", repository=copy) == environment_of("app")
    assert "other" not in (copy / "workspace.yaml").read_text()


def test_without_a_dockerfile_the_sentence_names_it(checkout: Repository) -> None:
    (checkout.folder / "deploy/images/Dockerfile").unlink()
    with pytest.raises(FrozenError, match=r"deploy/images/Dockerfile does not exist"):
        code_hash("app")
