"""What a parse of the dbt project follows from."""

from pathlib import Path

import pytest

from platform_core.dbt.project import project_hash
from tests.platform_core.dbt.conftest import SHOP, make_project


def test_what_dbt_notes_of_its_user_is_no_part_of_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = make_project(tmp_path, SHOP)
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(repository))
    before = project_hash()
    (repository / "dbt_project" / ".user.yml").write_text("id: tess")
    assert project_hash() == before
    (repository / "dbt_project" / "models" / "shop" / "days.sql").write_text("select 1 as day")
    assert project_hash() != before
