"""What this machine lacks of its system is told, where it can be known."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from platform_core.cli.main import headrace
from platform_core.environments.findings import notes_on, system_notes_on
from platform_core.environments.project import Project
from platform_core.environments.system_packages import missing_here
from platform_core.errors import FrozenError
from tests.platform_core.environments.support.toys import Repository

# As dpkg-query shows them: one that was removed leaves its configuration, another one provides what nothing else is.
INSTALLED = (
    "installed\\tlibgomp1\\t12.2.0-14\\t\\n"
    "config-files\\tlibgl1\\t1.6.0-1\\t\\n"
    "installed\\tmawk\\t1.3.4\\tawk, an-awk (= 1)\\n"
)


@pytest.fixture
def debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which those are installed."""
    program(tmp_path, monkeypatch, f"printf '{INSTALLED}'")


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    path = folder / "bin/dpkg-query"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")


def toys(*packages: str) -> Project:
    return Project(Path("toys"), "toys", "team:toys", (), (), packages)


@pytest.mark.parametrize("packages", [(), ("libgomp1",), ("libgomp1=12.2.0-14", "awk", "an-awk")])
def test_what_is_here_is_not_spoken_of(packages: tuple[str, ...], debian: None) -> None:
    assert missing_here(toys(*packages)) == ""


def test_what_is_missing_is_named_with_what_to_do(debian: None) -> None:
    assert missing_here(toys("libgomp1=13", "libgl1", "mawk", "nowhere")) == (
        "This machine lacks what toys needs of its system: libgomp1=13, libgl1, nowhere. Its images have it; steps here"
        " may fail without: apt-get install libgomp1=13 libgl1 nowhere"
    )


def test_a_machine_that_is_no_debian_says_that_it_cannot_know(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert missing_here(toys()) == ""
    assert missing_here(toys("libgl1")) == (
        "Whether this machine has what toys needs of its system (libgl1) cannot be known: it is no Debian, there is no"
        " dpkg-query."
    )


def test_a_list_that_cannot_be_had_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program(tmp_path, monkeypatch, "echo 'dpkg-query: error: it is locked' >&2; exit 2")
    with pytest.raises(FrozenError, match=r"cannot be listed: dpkg-query: error: it is locked\.$"):
        missing_here(toys("libgl1"))


def test_check_and_env_tell_of_it(repository: Repository, debian: None) -> None:
    repository.add("toys", headrace='system-packages = ["libgl1"]')
    (note,) = system_notes_on("toys")
    assert note.startswith("This machine lacks what toys needs of its system: libgl1.")
    assert note in notes_on("toys")
    told = CliRunner().invoke(headrace, ["env", "list"])
    assert note in told.stderr
    assert "libgl1" not in told.stdout
