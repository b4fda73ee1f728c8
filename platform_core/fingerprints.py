"""Whether code changed: a hash of a function and of what it reaches inside its package.

Formatting, comments and docstrings do not count, nor does what the asset's decorator declares; a changed helper or
constant does.
"""

import ast
import copy
import hashlib
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from types import FunctionType, ModuleType
from typing import Any

import polars as pl

CELLS = "__headrace_cells__"  # on a function: code of more than its own, each text by itself

_CONSTANT = (str, bytes, int, float, tuple, frozenset, set, dict, list, date, timedelta, pl.Expr, type(None))


def code_fingerprint(function: Callable[..., Any], package: str) -> str:
    """Twelve hexadecimal digits that change when the function, or code of `package` it refers to, changes."""
    found: dict[str, str] = {}
    _visit(inspect.unwrap(function), package, found, declared=True)
    for number, cell in enumerate(function.__dict__.get(CELLS, ())):
        _visit_cell(f"cell {number}", cell, package, found)
    return hashlib.sha256("\n".join(f"{name}={found[name]}" for name in sorted(found)).encode()).hexdigest()[:12]


def _visit(item: Any, package: str, found: dict[str, str], declared: bool = False) -> None:
    name = f"{item.__module__}.{item.__qualname__}"
    if name in found:
        return
    found[name] = ""  # before the descent, so that functions that call each other end
    found[name], references = _read(item, declared)
    _follow(name, references, package, found)


def _follow(name: str, references: Iterable[tuple[str, Any]], package: str, found: dict[str, str]) -> None:
    for label, referred in references:
        value = inspect.unwrap(referred) if callable(referred) else referred  # a cached helper is a helper
        if isinstance(value, FunctionType | type) and _inside(value.__module__, package):
            _visit(value, package, found)
        elif isinstance(value, _CONSTANT) and label.isupper():
            found[f"{name}.{label}"] = _text(value)


def _visit_cell(name: str, cell: str, package: str, found: dict[str, str]) -> None:
    """Of a cell that is no Python, as one for another language, the text counts."""
    try:
        tree = ast.parse(cell)
    except SyntaxError:
        found[name] = cell
        return
    found[name] = ast.dump(tree)
    _follow(name, [*_imported(tree, package), *_references(tree, _modules(tree, package))], package, found)


def _imported(tree: ast.AST, package: str) -> Iterator[tuple[str, Any]]:
    """What a cell takes by name out of modules of the package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and _inside(node.module, package):
            yield from ((alias.name, _taken(node.module, alias.name)) for alias in node.names)


def _taken(module: str, name: str) -> Any:
    """What `from module import name` gives; None where it gives nothing, which the cell will say when it runs."""
    found = import_module(module)
    if not hasattr(found, name) and hasattr(found, "__path__") and find_spec(f"{module}.{name}"):
        return import_module(f"{module}.{name}")
    return getattr(found, name, None)


def _modules(tree: ast.AST, package: str) -> dict[str, ModuleType]:
    """By name the modules of the package that a cell imports."""
    found: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named = [alias for alias in node.names if alias.asname and _inside(alias.name, package)]
            found |= {alias.asname: import_module(alias.name) for alias in named if alias.asname}
        elif isinstance(node, ast.ImportFrom) and node.module and _inside(node.module, package):
            found |= {alias.asname or alias.name: _taken(node.module, alias.name) for alias in node.names}
    return {name: module for name, module in found.items() if isinstance(module, ModuleType)}


def _text(value: Any) -> str:
    """A constant as the same text in every process, where sets have another order and objects another address."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_text(key)}: {_text(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(map(_text, value)))}}}"
    full = str(value) if isinstance(value, pl.Expr) else repr(value)  # which cuts expressions short
    return re.sub(r" at 0x[0-9A-Fa-f]+", "", full)


@lru_cache(maxsize=4096)  # assets of one location mostly reach the same helpers
def _read(item: Any, declared: bool) -> tuple[str, list[tuple[str, Any]]]:
    """The code of an item as text, and the names it uses with their values."""
    tree = _tree(item)
    if declared and isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef):
        tree.decorator_list = []
    names = item.__globals__ if isinstance(item, FunctionType) else vars(sys.modules[item.__module__])
    return ast.dump(tree), list(_references(tree, names))


def _tree(item: Any) -> ast.AST:
    try:
        shared = _top_level(item.__module__).get(item.__qualname__) or _alone(getattr(item, "__code__", item))
    except (KeyError, OSError, TypeError, SyntaxError):  # made without a source file, as in a notebook or by a factory
        code = getattr(item, "__code__", None)
        return ast.Constant(code.co_code.hex() if code else repr(item))
    tree = copy.deepcopy(shared)  # what is taken away here, another asset that reaches it would miss
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return tree


@lru_cache(maxsize=256)
def _top_level(module: str) -> dict[str, ast.AST]:
    """The functions and classes of a module by name; its file is parsed once for all of them."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}


@lru_cache(maxsize=4096)  # a factory makes many functions of one code
def _alone(item: Any) -> ast.AST:
    return ast.parse(textwrap.dedent(inspect.getsource(item))).body[0]


def _references(tree: ast.AST, namespace: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The global names that a piece of code uses, and attributes of modules, each with its value."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in namespace:
            yield node.id, namespace[node.id]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = namespace.get(node.value.id)
            if isinstance(module, ModuleType) and hasattr(module, node.attr):
                yield node.attr, getattr(module, node.attr)


def _inside(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
