"""What a library imports and nobody calls is not loaded, and is there when it is called after all."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_core.spared_imports import postponed, without, without_init_of

HEAVY = {
    "__init__.py": "import sys\nsys.modules['heavy_was_executed'] = sys",
    "tools.py": "class Hammer:\n    @classmethod\n    def of(cls, n): return n\ndef hit(n): return n + 1",
    "nails.py": "NAILS = 3",
}


@pytest.fixture
def heavy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "heavy").mkdir()
    for name, text in HEAVY.items():
        (tmp_path / "heavy" / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("heavy")]:
        del sys.modules[name]


def test_what_is_spared_is_imported_when_it_is_called(heavy: Path) -> None:
    names: dict[str, object] = {}
    with without({"heavy": (), "heavy.tools": ("Hammer", "hit")}):
        exec("from heavy.tools import Hammer, hit", names)
    assert not {name for name in sys.modules if name.startswith("heavy")}
    assert names["hit"](1) == 2  # type: ignore[operator]
    assert names["Hammer"].of(5) == 5  # type: ignore[attr-defined]
    assert "heavy_was_executed" in sys.modules


def test_what_is_there_already_is_left_alone(heavy: Path) -> None:
    from heavy import tools  # type: ignore[import-not-found]

    with without({"heavy": (), "heavy.tools": ("hit",)}), without_init_of("heavy"):
        from heavy.tools import hit  # type: ignore[import-not-found]
    assert hit is tools.hit
    assert sys.modules["heavy.tools"] is tools


def test_a_module_without_the_init_of_its_package(heavy: Path) -> None:
    with without_init_of("heavy"):
        from heavy.nails import NAILS  # type: ignore[import-not-found]
    assert (NAILS, "heavy_was_executed" in sys.modules) == (3, False)
    import heavy as whole

    assert whole.__file__
    assert "heavy_was_executed" in sys.modules


def test_an_object_is_made_once_and_not_before_it_is_asked() -> None:
    made = iter(["text"])
    stand_in = postponed(lambda: next(made))
    assert (stand_in.upper(), stand_in.title()) == ("TEXT", "Text")

    made = iter(["text"])
    postponed(lambda: next(made))
    assert list(made) == ["text"]
