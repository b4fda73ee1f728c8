"""Going back: a namespace shows again, of its own, what it showed at an earlier moment."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.records import in_utc
from platform_core.catalog.values import Expectation, Move, Ref
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
        NotFoundError: a version of then was given up by `gc`, or the moment has not come yet.
    """
    _require_past(catalog, to)
    changed = [place for place in catalog.places_changed(namespace, to) if not assets or place[0] in assets]
    then = _by_place(catalog.own_refs_at(namespace, to, changed))
    now = _by_place(ref for ref in catalog.shown_refs(namespace, changed) if ref.namespace == str(namespace))
    steps = [Step(*place, now.get(place), then.get(place)) for place in changed]
    steps = [step for step in steps if step.before != step.after]
    _require_files(catalog, [step.after for step in steps if step.after])
    return steps


def _require_past(catalog: Catalog, to: int | datetime) -> None:
    """Zero is before the first transaction, when nothing was shown."""
    if isinstance(to, datetime):
        if in_utc(to) > datetime.now(UTC):
            raise NotFoundError(f"{in_utc(to):%Y-%m-%d %H:%M} UTC is still to come; times without a zone are UTC.")
    elif to:
        catalog.transaction(to)


def _by_place(refs: Iterable[Ref]) -> dict[Place, str]:
    return {(ref.asset, ref.partition): ref.version for ref in refs if ref.version}


def _require_files(catalog: Catalog, ids: Sequence[str]) -> None:
    for version in catalog.versions(ids):
        if version.forgotten_at:
            raise NotFoundError(
                f"{version.label} was given up on {version.forgotten_at:%Y-%m-%d} and its files may be gone;"
                " choose a later moment, or leave that asset out."
            )


def roll_back(catalog: Catalog, namespace: Namespace, steps: Collection[Step], message: str) -> int:
    """Takes all steps in one transaction, whose number it returns; refuses when something moved since the plan."""
    moves = [Move(step.asset, step.partition, step.after) for step in steps]
    current = _by_place(catalog.shown_refs(namespace, [(step.asset, step.partition) for step in steps]))
    expects = [
        Expectation(namespace, step.asset, step.partition, step.before or current.get((step.asset, step.partition)))
        for step in steps
    ]
    return catalog.move_refs(namespace, moves, kind="rollback", message=message, expects=expects)
