"""What a branch deployment is asked before anything is done with it: its code, production's, and Dagster."""

import json
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from platform_core.branches.deployment import Deployment, branch_namespace, find_branch
from platform_core.branches.git import current_branch, file_at, has_commit, merge_base
from platform_core.branches.opening import ready_code
from platform_core.branches.pending import Wanted, descriptions_shown, pending
from platform_core.branches.plan import BranchPlan, Description, make_plan
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.opening import open_catalog
from platform_core.cli.console import errors
from platform_core.cli.conversation import converse
from platform_core.cli.fingerprints import Fingerprints, code_of, fingerprints_at, fingerprints_of
from platform_core.errors import NamespaceError, PromotionError
from platform_core.locations import Location
from platform_core.settings import current_settings

if TYPE_CHECKING:
    from platform_core.branches.comparison import Verdicts  # which loads what reads tables


def chosen(name: str) -> tuple[Catalog, Deployment]:
    """A deployment by its name, by default that of the branch that is checked out.

    Raises:
        NamespaceError: there is none.
    """
    settings = current_settings()
    catalog = open_catalog(settings.catalog)
    wanted = name or str(branch_namespace(current_branch(settings.repository)))
    return catalog, Deployment(find_branch(catalog, wanted), settings)


def assess(catalog: Catalog, found: Deployment) -> tuple[BranchPlan, Wanted]:
    """What the code of a branch changed, and what of that is left to compute."""
    ready_code(found, _say)
    told = fingerprints_of(found.settings, found.variables)
    plan = make_plan(_production_fingerprints(catalog, found, told), told)
    return plan, pending(catalog, found.namespace, told, plan.order)


def _production_fingerprints(catalog: Catalog, found: Deployment, branch: Fingerprints) -> Mapping[str, Description]:
    """What production's code tells, as of where the branch parted from it."""
    settings, repository = found.settings, found.settings.repository
    base = merge_base(found.code, "HEAD", settings.production_branch)
    if not base:
        gone = "" if has_commit(repository, found.branch.base_commit) else " Its base commit was rebased away."
        raise NamespaceError(
            f"{found.branch.git_branch} and {settings.production_branch} have no commit in common in {found.code}."
            f"{gone} Fetch {settings.production_branch}, or name another one with HEADRACE_PRODUCTION_BRANCH."
        )
    if _cannot_tell(repository, base):
        _say(f"The platform at {base[:12]} is older than fingerprints; compared with what production's versions say.")
        return descriptions_shown(catalog, branch)
    return fingerprints_at(settings, base)


def _cannot_tell(repository: Path, commit: str) -> bool:
    """Whether a commit's own platform knows no fingerprints."""
    runner = file_at(repository, commit, "platform_core/runner/__main__.py")
    return bool(runner) and '"fingerprint"' not in runner


def ask_dagster(found: Deployment, verb: str, *, code: Path | None = None, **request: Any) -> dict[str, Any]:
    """The answer of a process with Dagster in it; this one starts quicker without.

    Args:
        code: the code that production is going to run; by default what is checked out here.
    """
    catalog = open_catalog(found.settings.catalog)
    merged, _ = merged_code(found, {ref.asset for ref in catalog.own_refs(found.namespace)}, code)
    with NamedTemporaryFile("w", suffix=".json") as file:  # an argument has room for some hundred assets
        json.dump(merged, file)
        file.flush()
        return _answer(found, verb, merged=file.name, **request)


def merged_code(
    found: Deployment, assets: Collection[str], code: Path | None = None
) -> tuple[Fingerprints, dict[str, str]]:
    """What the code that production is going to run tells of the locations of some assets, and how it is run."""
    variables = code_of(found.settings, code or found.settings.repository)
    locations = {asset.partition("/")[0] for asset in assets}
    return fingerprints_of(found.settings, variables, locations=locations, hourly=False), variables


def verdicts_of(found: Deployment) -> "Verdicts":
    """What checks said in the runs that computed what the branch has, and what production shows of the same."""
    told = _answer(found, "verdicts")["verdicts"]
    return {(run, asset, check): passed for run, asset, check, passed in told}


def _answer(found: Deployment, verb: str, **request: Any) -> dict[str, Any]:
    dagster = Location("headrace", "", Path(sys.executable))
    printed = []
    for message in converse(dagster, verb=verb, branch=str(found.namespace), **request):
        if message["kind"] in ("ready", "promoted", "judged"):
            return message
        if message["kind"] == "refused":
            raise PromotionError(message["sentence"])
        printed.append(str(message.get("line", "")))
    words = " ".join(printed)[-300:] or "its process was killed"
    raise PromotionError(f"Dagster could not be asked about {found.namespace}: {words}.")


def _say(line: str) -> None:
    errors.print(f"[dim]{escape(line)}[/]", highlight=False)
