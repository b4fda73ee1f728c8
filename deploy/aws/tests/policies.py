"""Asks the policies of roles in a template whether something is allowed, as IAM evaluates them."""

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

Policy = list[Mapping[str, Any]]


def statements_of(template: Any, role: str) -> Policy:
    """Those of all policies of a role, by its name."""
    found = template.to_json()["Resources"]
    (logical,) = [key for key, one in found.items() if one.get("Properties", {}).get("RoleName") == role]
    policies = [one["Properties"] for one in found.values() if one["Type"] == "AWS::IAM::Policy"]
    return [
        statement
        for policy in policies
        if {"Ref": logical} in policy["Roles"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def allowed(policy: Policy, action: str, resource: str, context: Mapping[str, str] | None = None) -> bool:
    """Whether something allows it and nothing denies it.

    Args:
        context: values of condition keys; a key that is not there fails a condition, unless that says `IfExists`.
    """
    effects = {one["Effect"] for one in policy if _applies(one, action, resource, context or {})}
    return effects == {"Allow"}


def _applies(statement: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]) -> bool:
    named = _matches(statement.get("Resource", "*"), resource)
    spared = "NotResource" in statement and _matches(statement["NotResource"], resource)
    holds = all(
        _holds(operator, key, wanted, context)
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    )
    return _matches(statement["Action"], action) and named and not spared and holds


def _holds(operator: str, key: str, wanted: Any, context: Mapping[str, str]) -> bool:
    if key not in context:
        return operator.endswith("IfExists")
    return _matches(wanted, context[key])


def _matches(patterns: Any, text: str) -> bool:
    many = patterns if isinstance(patterns, list) else [patterns]
    return any(fnmatchcase(text, one if isinstance(one, str) else json.dumps(one)) for one in many)
