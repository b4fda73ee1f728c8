"""Whether what a schema demands changed: a hash of its columns and rules, not of its descriptions."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from platform_core.checks.declared import Declared, Rule
from platform_core.fingerprints import code_fingerprint

DIGITS = 8


def rule_fingerprint(schema: Declared, package: str) -> str:
    """Eight hexadecimal digits that change when a value could pass one schema and not the other.

    Args:
        package: the location, inside which a rule's own function is followed.
    """
    return hashlib.sha256("\n".join(_lines(schema, package)).encode()).hexdigest()[:DIGITS]


def _lines(schema: Declared, package: str) -> Iterator[str]:
    yield f"{schema.library} {schema.unique} {schema.strict} {schema.ordered} {schema.by_pandera}"
    for column in schema.columns:
        yield f"{column.name} {column.type} {column.nullable} {column.unique} {column.required} {column.rules}"
    for rule in schema.rules:
        yield f"{rule.name} {rule.text} {_given(rule)} {_code(rule, package)}"


def _given(rule: Rule) -> list[tuple[str, str]]:
    return sorted((name, str(value)) for name, value in dict(getattr(rule.check, "statistics", None) or {}).items())


def _code(rule: Rule, package: str) -> str:
    """Of a rule that is a function of the team; nothing of those that pandera has."""
    if rule.check is None or rule.check.is_builtin_check(rule.check.name):
        return ""
    function = _function(rule.check._check_fn)
    return code_fingerprint(function, package) if inspect.isfunction(function) else str(rule.name)


def _function(wrapped: Callable[..., Any]) -> Any:
    """The method of a model that pandera has wrapped, or the function that it was given."""
    for cell in getattr(wrapped, "__closure__", None) or ():
        if (method := getattr(cell.cell_contents, "check_fn", None)) is not None:
            return getattr(method, "__func__", method)
    return wrapped
