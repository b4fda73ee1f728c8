"""Whether code changed: a hash of a function and of what it reaches inside its package.

Formatting, comments and docstrings do not count; a changed helper or constant does.
"""

import ast
import hashlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any


def code_fingerprint(function: Callable[..., Any], package: str) -> str:
    """Twelve hexadecimal digits that change when the function, or code of `package` it refers to, changes."""
    found: dict[str, str] = {}
    _visit(inspect.unwrap(function), package, found)
    return hashlib.sha256("\n".join(f"{name}={found[name]}" for name in sorted(found)).encode()).hexdigest()[:12]


def _visit(item: Any, package: str, found: dict[str, str]) -> None:
    name = f"{item.__module__}.{item.__qualname__}"
    if name in found:
        return
    found[name] = ""  # before the descent, so that functions that call each other end
    tree = _tree(item)
    found[name] = ast.dump(tree)
    module = inspect.getmodule(item)
    for label, value in _references(tree, vars(module) if module else {}):
        if isinstance(value, FunctionType | type) and _inside(value.__module__, package):
            _visit(value, package, found)
        elif isinstance(value, str | int | float | tuple | frozenset | dict | list | None) and label.isupper():
            found[f"{name}.{label}"] = repr(value)


def _tree(item: Any) -> ast.AST:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(item)))
    except (OSError, TypeError, SyntaxError):  # made without a source file, as in a notebook or by a factory
        code = getattr(item, "__code__", None)
        return ast.Constant(code.co_code.hex() if code else repr(item))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return tree


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
