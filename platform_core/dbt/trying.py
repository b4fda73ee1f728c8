"""A look at one dbt model: what it would become, as its files are now."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import polars as pl
import yaml

from platform_core.dbt.invocation import Glance, glance, test_result
from platform_core.dbt.project import nearest_parse, project_files, project_folder
from platform_core.errors import NotFoundError, did_you_mean, listed
from platform_core.tracking.looking import Found, Look, Part, part
from platform_core.trials.subject import parsed

_VARIABLE = re.compile(r"""\bvar\(\s*['"](\w+)['"]""")


def try_model(context: dg.AssetExecutionContext, look: Look) -> Iterator[dg.AssetCheckResult]:
    """Builds the one model that a step has selected, notes what came of it, and yields what its tests say.

    Raises:
        NotFoundError: the project has no such variable.
        dagster.Failure: dbt could not compute it; the sentence is dbt's.
    """
    (key,) = context.selected_asset_keys
    declared = {check.name for check in context.selected_asset_check_keys}
    variables = _variables(look.asked.parameters)
    with part("dbt"), glance(context, nearest_parse(), key.path[-1], look.asked, variables) as done:
        if not done.receipts:
            raise dg.Failure(f"{'; '.join(done.failures) or 'dbt selected nothing'}.", allow_retries=False)
        look.found = _found(done)
    tests = [item for item in done.results if item.node.resource_type == "test"]
    look.parts += _parts(done)
    yield from (test_result(item, key) for item in tests if item.node.name in declared)


def _found(done: Glance) -> Found:
    (told,) = done.receipts
    rows = pl.read_parquet(told["files"]) if told["files"] else None
    return Found(rows, [(version, by) for version, by in told["read"]], told["versions"], told["refused"] or "")


def _parts(done: Glance) -> Iterator[Part]:
    """Of the time of dbt what the model itself took, and its tests."""
    for title, is_mine in (("model", False), ("tests", True)):
        mine = [item for item in done.results if (item.node.resource_type == "test") is is_mine]
        if mine:
            yield Part(title, sum(item.execution_time for item in mine), None)


def _variables(given: Mapping[str, str]) -> dict[str, Any]:
    known = _known_variables() if given else set()
    for name in given:
        if name not in known:
            has = f" It has: {listed(sorted(known))}." if known else " Write {{ var('NAME', DEFAULT) }} in a model."
            raise NotFoundError(f"The dbt project has no variable '{name}'.{did_you_mean(name, known)}{has}")
    return parsed("the dbt project", given)


def _known_variables() -> set[str]:
    """Those that the project gives a value, and those that its files ask for."""
    said = yaml.safe_load((project_folder() / "dbt_project.yml").read_text()).get("vars") or {}
    stated = {name for name, value in said.items() if not isinstance(value, dict)}
    own = {name for value in said.values() if isinstance(value, dict) for name in value}
    asked = {name for path in project_files() for name in _VARIABLE.findall(path.read_text())}
    return stated | own | asked
