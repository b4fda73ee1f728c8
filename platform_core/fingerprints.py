"""Whether code changed: a hash of a function and of what it reaches inside its package.

Formatting, comments and docstrings do not count, nor does what the asset's decorator declares; a changed helper or
constant does.
"""

import ast
import hashlib
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from types import FunctionType, ModuleType
from typing import Any

import polars as pl

_CONSTANT = (str, bytes, int, float, tuple, frozenset, set, dict, list, date, timedelta, pl.Expr, type(None))


def code_fingerprint(function: Callable[..., Any], package: str) -> str:
    """Twelve hexadecimal digits that change when the function, or code of `package` it refers to, changes."""
    found: dict[str, str] = {}
    _visit(inspect.unwrap(function), package, found, declared=True)
    return hashlib.sha256("\n".join(f"{name}={found[name]}" for name in sorted(found)).encode()).hexdigest()[:12]


def _visit(item: Any, package: str, found: dict[str, str], declared: bool = False) -> None:
    name = f"{item.__module__}.{item.__qualname__}"
    if name in found:
        return
    found[name] = ""  # before the descent, so that functions that call each other end
    found[name], references = _read(item, declared)
    for label, referred in references:
        value = inspect.unwrap(referred) if callable(referred) else referred  # a cached helper is a helper
        if isinstance(value, FunctionType | type) and _inside(value.__module__, package):
            _visit(value, package, found)
        elif isinstance(value, _CONSTANT) and label.isupper():
            found[f"{name}.{label}"] = _text(value)


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
        tree = _top_level(item.__module__).get(item.__qualname__) or _alone(item)
    except (KeyError, OSError, TypeError, SyntaxError):  # made without a source file, as in a notebook or by a factory
        code = getattr(item, "__code__", None)
        return ast.Constant(code.co_code.hex() if code else repr(item))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return tree


@lru_cache(maxsize=256)
def _top_level(module: str) -> dict[str, ast.AST]:
    """The functions and classes of a module by name; its file is parsed once for all of them."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}


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
