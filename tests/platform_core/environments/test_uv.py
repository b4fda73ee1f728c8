"""uv's complaints become one line."""

import pytest

from platform_core.environments.uv import find_uv, reason_in, run_uv
from platform_core.errors import FrozenError
from tests.platform_core.environments.support.toys import Repository


def test_the_repositorys_own_uv_comes_first(repository: Repository) -> None:
    assert find_uv() == repository.folder / ".headrace/bin/uv"


def test_without_uv_the_sentence_says_who_brings_it(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository.folder / ".headrace/bin/uv").unlink()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FrozenError, match="uv, which makes environments, is not here; `make install` brings it"):
        find_uv()


def test_errors_causes_and_hints_are_kept_and_frames_are_not() -> None:
    text = "Using CPython 3.11\nerror: Failed to fetch:\n  `https://x/toy`\n  cause: refused\n  ╰─▶ HTTP\n      403\n"
    assert reason_in(text) == "Failed to fetch: `https://x/toy`. refused. HTTP 403."
    assert reason_in("") == "nothing."
    assert reason_in("Killed\n") == "Killed."


def test_a_failure_says_what_was_tried_and_why_it_failed(repository: Repository) -> None:
    with pytest.raises(FrozenError, match=r"^The lock cannot be made\. uv says: .*nowhere` does not exist\.$"):
        run_uv("lock", "--project", str(repository.folder_of("nowhere")), doing="The lock cannot be made")
