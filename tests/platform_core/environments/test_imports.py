"""What modules reach by importing, and the graph of a real checkout."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.environments.imports import reached, read_imports, with_packages
from tests.platform_core.environments.support.toys import ROOT

MODULES = st.sampled_from([f"p.m{number}" for number in range(8)])
GRAPHS = st.dictionaries(MODULES, st.lists(MODULES, max_size=3), max_size=8)


@given(GRAPHS, st.lists(MODULES, max_size=3))
def test_what_is_reached_is_closed_and_no_more(graph: dict[str, list[str]], starts: list[str]) -> None:
    found = reached(graph, starts)
    assert set(starts) <= found
    assert all(set(graph.get(module, ())) <= found for module in found)
    assert all(
        module in starts or module == "p" or any(module in graph.get(other, ()) for other in found) for module in found
    )


def test_packages_above_a_module_are_reached_too() -> None:
    assert list(with_packages("a.b.c")) == ["a", "a.b", "a.b.c"]
    assert reached({"x": ["a.b.c"]}, ["x"]) == {"x", "a", "a.b", "a.b.c"}


def test_imports_inside_of_functions_count() -> None:
    pytest.importorskip("grimp", reason="grimp is not installed")
    graph = read_imports(ROOT, ["platform_core"])
    assert "platform_core.store.s3" in reached(graph, ["platform_core.store.opening"])  # imported when first used


def test_the_checkout_that_is_asked_about_counts_and_not_this_one(tmp_path: Path) -> None:
    pytest.importorskip("grimp", reason="grimp is not installed")
    package = tmp_path / "platform_core"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "only.py").write_text("import platform_core\n")
    assert read_imports(tmp_path, ["platform_core"]) == {
        "platform_core": [],
        "platform_core.only": ["platform_core"],
    }


def test_a_file_that_cannot_be_parsed_is_told(tmp_path: Path) -> None:
    pytest.importorskip("grimp", reason="grimp is not installed")
    (tmp_path / "resources").mkdir()
    (tmp_path / "resources/__init__.py").write_text("def (:\n")
    with pytest.raises(RuntimeError, match="__init__"):
        read_imports(tmp_path, ["resources"])
