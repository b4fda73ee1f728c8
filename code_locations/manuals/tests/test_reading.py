"""Pages are read out of a library's files, which are not run."""

import ast
import importlib.util
from pathlib import Path

import pytest

from code_locations.manuals import reading

LONG = "Says what it does. " * 30
FILES = {
    "__init__.py": "raise SystemExit('a library that is read must not be run')",
    "trees/_grow.py": f'''
def grow(): "{LONG}"
def grow(): "defined twice: {LONG}"
def _hidden(): "{LONG}"
class Tree:
    "{LONG}"
    def leaf(self): "{LONG}"
def short(): "Too short."
add_newdoc("bark", """{LONG}""")
add_newdoc("numpy", "ring", """{LONG}""")
''',
    "trees/tests/test_grow.py": f'def test(): "{LONG}"',
    "_lib/_vendored.py": f'def other(): "{LONG}"',
    "_core/soil.py": f'def soil(): "{LONG}"',
}


@pytest.fixture
def _library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in FILES.items():
        file = tmp_path / "forestry" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(reading, "version", lambda name: "1.2")


@pytest.mark.usefixtures("_library")
def test_public_functions_and_classes_have_pages() -> None:
    found = reading.pages("forestry")
    assert found["page"].to_list() == [
        "forestry._core.soil.soil",
        *(f"forestry.trees._grow.{name}" for name in ("Tree", "bark", "grow", "ring")),
    ]
    assert found["section"].to_list() == ["forestry.core", *4 * ["forestry.trees"]]
    assert set(found["release"]) == {"1.2"}
    assert found["text"].str.starts_with("Says").all()  # the first of what is defined twice


def test_a_library_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(ValueError, match="The library forestry is not installed here; add it to the location's dep"):
        reading.pages("forestry")


def test_functions_that_are_written_in_c_have_pages_too() -> None:
    spec = importlib.util.find_spec("scipy")
    assert spec
    assert spec.submodule_search_locations
    file = Path(spec.submodule_search_locations[0]) / "special" / "_add_newdocs.py"
    found = dict(reading.documented(ast.parse(file.read_text())))
    assert found["erfinv"].startswith("\n    erfinv(y, out=None)")
    assert len(found) > 100


def test_words_are_kept_and_examples_and_references_are_not() -> None:
    page = """Grow a tree.

    Parameters
    ----------
    height : `float`
        How tall, in :math:`m`.

    See Also
    --------
    fell : The opposite.

    Examples
    --------
    >>> grow(3)
    """
    told = reading.prose(page)
    assert "Grow a tree." in told
    assert "How tall, in " in told
    assert not [word for word in ("opposite", ">>>", "math", "`", "Parameters") if word in told]
