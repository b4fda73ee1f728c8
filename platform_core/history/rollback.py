"""Going back: a namespace shows again, of its own, what it showed at an earlier moment."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import Expectation, Move, Shown
from platform_core.errors import NotFoundError
from platform_core.namespaces import Namespace

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Step:
    """What going back changes at one place. `after` None: the namespace has nothing of its own there again."""

    asset: str
    partition: str
    before: str | None
    after: str | None


def plan_rollback(
    catalog: Catalog, namespace: Namespace, to: int | datetime, assets: Collection[str] = ()
) -> list[Step]:
    """The places at which a namespace shows something else of its own than at a transaction or time.

    Args:
        assets: only these; nothing means all.

    Raises:
        NotFoundError: a version of then was given up by `gc`.
    """
    then = _own(catalog.shown_at(namespace, to), namespace)
    now = _own(catalog.current(namespace), namespace)
    steps = []
    for place in sorted({*then, *now}):
        wanted = then.get(place)
        if (not assets or place[0] in assets) and wanted != now.get(place):
            _require_files(wanted)
            steps.append(Step(*place, _id(now.get(place)), _id(wanted)))
    return steps


def _own(shown: Collection[Shown], namespace: Namespace) -> dict[Place, Shown]:
    own = [item for item in shown if item.shown_by == str(namespace)]
    return {(item.version.asset, item.version.partition): item for item in own}


def _id(shown: Shown | None) -> str | None:
    return shown.version.id if shown else None


def _require_files(shown: Shown | None) -> None:
    if shown and shown.version.forgotten_at:
        raise NotFoundError(
            f"{shown.version.label} was given up on {shown.version.forgotten_at:%Y-%m-%d} and its files may be gone;"
            " choose a later moment, or leave that asset out."
        )


def roll_back(catalog: Catalog, namespace: Namespace, steps: Collection[Step], message: str) -> int:
    """Takes all steps in one transaction, whose number it returns; refuses when something moved since the plan."""
    moves = [Move(step.asset, step.partition, step.after) for step in steps]
    current = {(item.version.asset, item.version.partition): item.version.id for item in catalog.current(namespace)}
    expects = [
        Expectation(namespace, step.asset, step.partition, step.before or current.get((step.asset, step.partition)))
        for step in steps
    ]
    return catalog.move_refs(namespace, moves, kind="rollback", message=message, expects=expects)
