"""The manual that an installed library carries in itself: the docstrings of its public functions and classes.

The library's files are parsed and never run: a page costs nothing but its text.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import polars as pl

LIBRARIES = ("numpy", "scipy", "sklearn")
DISTRIBUTION = {"sklearn": "scikit-learn"}
SHORTEST = 400  # characters; what is shorter says what it returns and nothing more
NOT_OF_THE_MANUAL = {"tests", "testing", "_lib", "externals", "distutils", "f2py", "_typing", "fftpack"}
COLUMNS = ("page", "library", "release", "section", "name", "text")

# Headings of numpydoc. What examples and references say is code and names of people.
_HEADING = re.compile(r"^[ \t]*([A-Z][A-Za-z ]+)\n[ \t]*-{3,}[ \t]*$", re.MULTILINE)
_SAID_IN = {"", "Parameters", "Returns", "Notes", "Attributes"}
_MARKUP = re.compile(r"\.\. [\w-]+::.*|:\w+:|[`_\d]+|\\\w+")


def pages(library: str) -> pl.DataFrame:
    """The pages of an installed library, by the path of what they describe.

    ValueError: the library is not installed.
    """
    spec = importlib.util.find_spec(library)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"The library {library} is not installed here; add it to the location's dependencies.")
    release = version(DISTRIBUTION.get(library, library))
    root = Path(spec.submodule_search_locations[0])
    rows = [(page, library, release, *rest) for page, *rest in _pages(library, root)]
    # What is defined twice, as for two platforms, is one page.
    return pl.DataFrame(rows, COLUMNS, orient="row").unique("page", keep="first").sort("page")


def _pages(library: str, root: Path) -> Iterator[tuple[str, str, str, str]]:
    """Path, section, name and text of each page."""
    for file in sorted(root.rglob("*.py")):
        modules = file.relative_to(root).with_suffix("").parts
        if not NOT_OF_THE_MANUAL & set(modules) and not modules[0].startswith("__"):
            section = f"{library}.{modules[0].lstrip('_')}"
            for name, text in documented(ast.parse(file.read_text(encoding="utf-8"))):
                yield ".".join((library, *modules, name)), section, name, text


def documented(module: ast.Module) -> Iterator[tuple[str, str]]:
    """Name and text of what a module documents."""
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            name, text = node.name, ast.get_docstring(node) or ""
        else:
            name, text = _added(node)
        if not name.startswith("_") and len(text) >= SHORTEST:
            yield name, text


def _added(node: ast.stmt) -> tuple[str, str]:
    """What is written in C has its text given by a call such as `add_newdoc("erf", "…")`."""
    match node:
        case ast.Expr(ast.Call(ast.Name("add_newdoc"), [*_, ast.Constant(str(name)), ast.Constant(str(text))])):
            return name, text
    return "", ""


def prose(text: str) -> str:
    """What a page says in words: without examples, references, lists of other pages and markup."""
    first, *rest = _HEADING.split(text)
    parts = [first, *(body for heading, body in zip(rest[::2], rest[1::2], strict=True) if heading in _SAID_IN)]
    return _MARKUP.sub(" ", "\n".join(parts))
