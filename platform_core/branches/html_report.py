"""The report of a branch as one HTML file, with pictures, that needs nothing else."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from platform_core.branches.charts import HEIGHT, WIDTH, line, overlaid
from platform_core.branches.comparison import AssetComparison
from platform_core.branches.plan import BranchPlan
from platform_core.branches.report import amount, number, side_by_side, value, verdict
from platform_core.namespaces import Namespace


def html_report(
    branch: Namespace,
    compared: Sequence[AssetComparison],
    plan: BranchPlan | None = None,
    left: Mapping[str, Sequence[str]] | None = None,
    obstacles: Sequence[str] = (),
) -> str:
    """What a branch did to the data, as a whole HTML page. Everything in it is escaped.

    Args:
        compared: as `comparison.compare` gives it.
        plan: what its code changed; without it, that part is left out.
        left: by asset the partitions that are still to be computed.
        obstacles: sentences about what keeps it from being promoted.
    """
    said = [] if plan is None else [verdict(plan, left or {}, compared, obstacles)]
    changes = [] if plan is None else [*_planned(plan, left or {})]
    text: str = _template().render(branch=branch, compared=compared, verdict=said, changes=changes)
    return text


def _planned(plan: BranchPlan, left: Mapping[str, Sequence[str]]) -> list[tuple[str, str, str]]:
    changed = [(change.asset, ", ".join(change.reasons), amount(left.get(change.asset))) for change in plan.changed]
    return changed + [(asset, "reads what changed", amount(left.get(asset))) for asset in plan.affected]


@lru_cache(maxsize=1)
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("platform_core.branches", ".")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    for function in (side_by_side, value, number, overlaid, line):
        environment.filters[function.__name__] = function
    environment.tests["pair"] = lambda cell: isinstance(cell, tuple)  # the value before and after
    environment.globals |= {"WIDTH": WIDTH, "HEIGHT": HEIGHT}
    return environment.get_template("report.html.jinja")
