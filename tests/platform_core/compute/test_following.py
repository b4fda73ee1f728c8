"""What a child prints to files comes out of its parent, whole and in order."""

import os
from pathlib import Path

import pytest

from platform_core.compute.following import CHUNK, Following


def test_a_child_s_files_are_repeated_on_the_streams_that_it_names(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    printed = Following()
    files = [tmp_path / "step.out", tmp_path / "step.err"]
    if (child := os.fork()) == 0:
        for stream, file in enumerate(files, 1):
            printed.tell(stream, str(file))
            file.write_text(f"grüß {stream}\n")
        os._exit(0)
    os.waitpid(child, 0)
    printed.repeat()
    with files[0].open("a") as grows:
        grows.write("more\n")
    printed.repeat()
    assert capfd.readouterr() == ("grüß 1\nmore\n", "grüß 2\n")


def test_a_file_that_is_not_there_yet_is_waited_for(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    printed = Following()
    printed.tell(1, str(tmp_path / "step.out"))
    printed.repeat()
    (tmp_path / "step.out").write_text("late\n")
    printed.repeat()
    assert capfd.readouterr().out == "late\n"


def test_much_is_repeated_without_loss(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    printed = Following()
    (tmp_path / "step.out").write_text("ü" * CHUNK)
    printed.tell(1, str(tmp_path / "step.out"))
    printed.repeat()
    assert capfd.readouterr().out == "ü" * CHUNK


def test_it_is_heard_when_the_step_begins(tmp_path: Path) -> None:
    told = Following()
    told.tell(1, str(tmp_path / "step.out"))
    told.repeat()
    assert told.begun is None
    told.begin()
    told.repeat()
    first = told.begun
    told.begin()
    told.repeat()
    assert first is not None
    assert told.begun == first
