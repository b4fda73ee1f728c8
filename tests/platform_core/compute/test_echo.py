"""What steps print is shown as it is, as it grows."""

import io
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.compute import echo
from platform_core.compute.echo import Echo

EVENT: Any = None
INSTANCE: Any = None


def following(monkeypatch: pytest.MonkeyPatch, folder: Path) -> tuple[Echo, Path, Path]:
    out, err = folder / "a.out", folder / "a.err"
    monkeypatch.setattr(echo, "captured_files", lambda *_: [str(out), str(err)])
    shown = Echo(INSTANCE, "run")
    shown.follow("a", EVENT)
    return shown, out, err


def test_output_and_errors_are_repeated_where_they_belong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown, out, err = following(monkeypatch, tmp_path)
    out.write_text("one\n")
    err.write_text("oh\n")
    shown.flush()
    assert capsys.readouterr() == ("one\n", "oh\n")
    with out.open("a") as file:
        file.write("two\n")
    shown.end("a")
    assert capsys.readouterr() == ("two\n", "")


def test_what_is_left_is_repeated_at_the_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown, out, _ = following(monkeypatch, tmp_path)
    out.write_text("x" * (3 * echo.CHUNK + 1))
    shown.close()
    assert len(capsys.readouterr().out) == 3 * echo.CHUNK + 1
    shown.flush()
    shown.end("unknown")
    assert capsys.readouterr().out == ""


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=30), size=st.integers(1, 4))
def test_letters_that_arrive_in_pieces_stay_whole(
    tmp_path_factory: pytest.TempPathFactory, text: str, size: int
) -> None:
    content, printed = text.encode(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", printed)
        shown, out, _ = following(patch, tmp_path_factory.mktemp("echo"))
        with out.open("ab", buffering=0) as file:
            for start in range(0, len(content), size):
                file.write(content[start : start + size])
                shown.flush()
        shown.close()
    assert printed.getvalue() == text


def test_what_is_no_text_is_shown_as_far_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown, out, _ = following(monkeypatch, tmp_path)
    out.write_bytes(b"a\xffb\n\xc3")
    shown.close()
    assert capsys.readouterr().out == "a\ufffdb\n\ufffd"
