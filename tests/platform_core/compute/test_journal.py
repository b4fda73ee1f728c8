"""Lines of a journal arrive whole and once, however their bytes come in."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.compute.journal import JournalReader, JournalWriter, journal_path

LINES = st.lists(st.text().filter(lambda text: "\n" not in text), max_size=12)


@given(
    LINES, st.lists(st.integers(1, 40), min_size=1, max_size=30), st.binary(max_size=5).filter(lambda b: b"\n" not in b)
)
def test_every_whole_line_is_read_once_whatever_the_pieces(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], sizes: list[int], torn: bytes
) -> None:
    path = tmp_path_factory.mktemp("journal") / "a.events"
    content = "".join(f"{line}\n" for line in lines).encode() + torn
    reader, found = JournalReader(path), list[str]()
    with path.open("ab", buffering=0) as file:
        while content:
            for size in sizes:
                file.write(content[:size])
                content = content[size:]
                found += reader.lines()
    assert found == lines
    assert list(reader.lines()) == []


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = journal_path(tmp_path, "attempt")
    reader = JournalReader(path)
    assert list(reader.lines()) == []  # the step has not begun
    writer = JournalWriter(path)
    writer.write("größer")
    assert list(reader.lines()) == ["größer"]
    writer.write("b")
    writer.write("c")
    assert list(reader.lines()) == ["b", "c"]


def test_a_second_writer_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    for line in ("first", "second"):
        JournalWriter(tmp_path / "a").write(line)
    assert list(JournalReader(tmp_path / "a").lines()) == ["first", "second"]


def test_a_write_that_takes_only_a_part_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it may happen when the disk is nearly full or a signal comes in between."""
    writer, write = JournalWriter(tmp_path / "a"), os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:3]))
    writer.write("a long line")
    writer.write("another")
    monkeypatch.undo()
    assert list(JournalReader(tmp_path / "a").lines()) == ["a long line", "another"]
