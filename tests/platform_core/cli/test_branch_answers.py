"""Code of before there were fingerprints is recognised before it is started."""

from pathlib import Path

import pytest

from platform_core.branches.deployment import Deployment
from platform_core.catalog.branch_values import Branch
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.engine import open_engine
from platform_core.cli.branch_answers import _cannot_tell, _production_fingerprints
from platform_core.errors import NamespaceError
from platform_core.settings import Settings
from tests.end_to_end.small_repository import commit, git


@pytest.mark.parametrize(("runner", "too_old"), [('verb == "describe"', True), ('verb == "fingerprint"', False)])
def test_a_commit_whose_platform_knows_no_fingerprints(tmp_path: Path, runner: str, too_old: bool) -> None:
    path = tmp_path / "platform_core" / "runner" / "__main__.py"
    path.parent.mkdir(parents=True)
    path.write_text(runner)
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    commit(tmp_path, "The beginning")
    assert _cannot_tell(tmp_path, "HEAD") is too_old


def test_a_platform_that_is_not_in_the_repository_is_new_enough(tmp_path: Path) -> None:
    (tmp_path / "platform_core").symlink_to("/elsewhere")
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    commit(tmp_path, "The beginning")
    assert not _cannot_tell(tmp_path, "HEAD")


def test_a_base_that_was_rebased_away_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    commit(tmp_path, "The beginning")
    git(tmp_path, "switch", "--quiet", "--orphan", "new-engine")
    (tmp_path / "other").touch()
    commit(tmp_path, "Another beginning")
    branch = Branch("branch/new-engine", "new-engine", "c0ffee", str(tmp_path), None)
    found = Deployment(branch, Settings(home=tmp_path / "home", repository=tmp_path))
    with pytest.raises(NamespaceError, match=r"have no commit in common in .* Its base commit was rebased away\."):
        _production_fingerprints(Catalog(open_engine("sqlite://")), found, {})
