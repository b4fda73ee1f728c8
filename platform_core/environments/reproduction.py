"""What it takes to compute a version again: its code, its environment, and its inputs shown once more."""

from dataclasses import dataclass
from itertools import chain, combinations
from pathlib import Path

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import Move, Version
from platform_core.environments.environment import DIGITS, Environment, environment_of
from platform_core.environments.project import project_of
from platform_core.errors import FrozenError
from platform_core.namespaces import Namespace

_MOST_EXTRAS = 8  # of which all combinations are looked through


@dataclass(frozen=True)
class Origin:
    """Where a version came from, as far as it can be had back.

    Args:
        doubts: sentences about what cannot be restored exactly.
    """

    location: str
    commit: str
    doubts: tuple[str, ...]


def origin_of(version: Version) -> Origin:
    """Raises:
    FrozenError: its code is not known.
    """
    commit = version.provenance.git_commit
    if not commit:
        raise FrozenError(
            f"{version.label} cannot be computed again: it was written outside of a git repository, so that nobody"
            " knows its code."
        )
    doubts = []
    if commit.endswith("+"):
        doubts.append(
            f"It was computed with edits that were not committed; the commit {commit[:12]} alone is what there is."
        )
    if not version.provenance.inputs:
        doubts.append("It read no versions; what it read from elsewhere is read as it is now.")
    return Origin(version.asset.partition("/")[0], commit.rstrip("+"), tuple(doubts))


def environment_then(version: Version, location: str, checkout: Path) -> tuple[Environment, str]:
    """The environment that a version was computed in, from the lock file of its commit, and a doubt or nothing."""
    recorded = version.provenance.environment
    known = project_of(location, checkout)
    names = (*known.extras, *known.groups)[:_MOST_EXTRAS]
    plain = environment_of(location, repository=checkout)
    for extras in chain.from_iterable(combinations(names, count) for count in range(len(names) + 1)):
        environment = environment_of(location, extras, repository=checkout)
        if recorded in (environment.hash, environment.lock[:DIGITS]):  # the latter is what was recorded before
            return environment, ""
    return plain, (
        f"It was computed in the environment {recorded or 'that nobody noted'}, which the lock file of its commit does"
        f" not give here; {plain} is taken, as {plain.platform} with Python {plain.python} has it."
    )


def show_inputs(catalog: Catalog, namespace: Namespace, version: Version) -> None:
    """Lets a namespace show what a version was computed from.

    Raises:
        NotFoundError: `gc` gave up an input.
    """
    inputs = {(item.asset, item.partition): item.version for item in version.provenance.inputs}
    moves = [Move(*place, wanted) for place, wanted in inputs.items()]
    catalog.move_refs(namespace, moves, kind="reproduce", message=f"inputs of {version.label}")
