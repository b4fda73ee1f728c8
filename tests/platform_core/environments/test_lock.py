"""A lock file that would let something else be installed tomorrow is refused, by the name of the package."""

import re

import pytest

from platform_core.environments.lock import Lock
from platform_core.errors import FrozenError
from tests.platform_core.environments.support.toys import Repository


def test_a_lock_of_uv_is_frozen(repository: Repository) -> None:
    lock = Lock(repository.add("toys", "toy<2") / "uv.lock")
    assert [str(package) for package in lock.packages if package.index] == ["toy 1.0"]
    assert list(lock.problems()) == []
    lock.require_hashes()
    lock.require_frozen()


def test_a_file_without_a_hash_is_refused(repository: Repository) -> None:
    path = repository.add("toys", "toy") / "uv.lock"
    path.write_text(re.sub(r', hash = "sha256:[0-9a-f]+"', "", path.read_text()))
    for require in (Lock(path).require_frozen, Lock(path).require_hashes):
        with pytest.raises(
            FrozenError, match=r"files without a hash.* of toy 2\.0; lock again with: uv lock --project"
        ):
            require()


def package(source: str, more: str = "") -> str:
    return f'version = 1\n[[package]]\nname = "toy"\nversion = "1.0"\nsource = {source}\n{more}\n'


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ('{ git = "https://example.org/toy?branch=main" }', "comes from git without a commit"),
        ('{ directory = "../toy" }', "comes from the folder ../toy, which no lock pins"),
        ('{ editable = "../../../elsewhere" }', "comes from the folder ../../../elsewhere"),
        ('{ registry = "https://example.org/simple" }', "has no files in the lock"),
    ],
)
def test_what_no_lock_can_pin_is_refused(source: str, sentence: str, repository: Repository) -> None:
    path = repository.add("toys") / "uv.lock"
    path.write_text(package(source))
    with pytest.raises(FrozenError, match=re.escape(f"toy 1.0 {sentence}")):
        Lock(path).require_frozen()


def test_a_commit_of_git_is_frozen(repository: Repository) -> None:
    path = repository.add("toys") / "uv.lock"
    path.write_text(package('{ git = "https://example.org/toy?rev=v1#0123abcd" }'))
    Lock(path).require_frozen()


@pytest.mark.parametrize("text", ["", "package = 7", "[[package]]\nname = 'x'", "{", "[[package]]\nsource = 7"])
def test_what_is_no_lock_file_is_one_sentence(text: str, repository: Repository) -> None:
    path = repository.add("toys") / "uv.lock"
    path.write_text(text)
    with pytest.raises(FrozenError, match=r"uv\.lock is no lock file that can be read \(.*make it again with: uv lock"):
        Lock(path).require_frozen()
