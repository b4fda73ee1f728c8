"""What of a branch can become production's as it is, and the transaction that makes it so."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from platform_core.branches.pending import foreign_inputs, is_made_by
from platform_core.branches.plan import Description
from platform_core.branches.tokens import Leave
from platform_core.catalog.branch_values import Promotion
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import PROMOTED_FROM, Expectation, InputVersion, Ref, Version
from platform_core.errors import PromotionError, listed, refusal
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.store.store import Store
from platform_core.store.values import adopt_version

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a version cannot become production's as it is. `moved`: only because production went on."""

    version: Version
    sentence: str
    moved: bool = False


@dataclass(frozen=True)
class Candidates:
    """The versions of a branch that production does not have yet, and what must hold of production to take them.

    Args:
        obstacles: what keeps some of them from being promoted.
        expects: what production must still show when they are.
    """

    branch: Namespace
    versions: tuple[Version, ...]
    obstacles: tuple[Obstacle, ...]
    expects: tuple[Expectation, ...]

    @property
    def digest(self) -> str:
        """Of the versions with their contents, code and environments: what a token is issued for."""
        lines = sorted(
            f"{v.asset}\0{v.partition}\0{v.id}\0{v.data_version}\0{v.provenance.code_version}\0{v.provenance.environment}"
            for v in self.versions
        )
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @property
    def reasons(self) -> list[str]:
        """Why they cannot be promoted as they are, each once; none when they can."""
        return list(dict.fromkeys(obstacle.sentence for obstacle in self.obstacles))

    @property
    def outdated(self) -> tuple[Version, ...]:
        """Those in whose way is only that production went on, and all that were computed from them."""
        ids = {obstacle.version.id for obstacle in self.obstacles if obstacle.moved}
        while more := [v for v in self.versions if v.id not in ids and _reads_any(v, ids)]:
            ids |= {version.id for version in more}
        return tuple(version for version in self.versions if version.id in ids)

    def without_outdated(self) -> "Candidates":
        """What can be promoted of them while those are computed again in production."""
        gone = {version.id for version in self.outdated}
        kept = tuple(version for version in self.versions if version.id not in gone)
        places = {_place(version) for version in kept}
        places |= {(item.asset, item.partition) for version in kept for item in version.provenance.inputs}
        return replace(
            self,
            versions=kept,
            obstacles=tuple(item for item in self.obstacles if item.version.id not in gone),
            expects=tuple(item for item in self.expects if (item.asset, item.partition) in places),
        )

    def require(self) -> None:
        """Raises:
        PromotionError: one of them cannot be promoted.
        """
        if self.obstacles:
            places = sorted({obstacle.version.asset for obstacle in self.obstacles})
            raise PromotionError(refusal(str(self.branch), self.reasons) + self._way_out(), places)

    def _way_out(self) -> str:
        if not all(obstacle.moved for obstacle in self.obstacles):
            return ""
        return " Synchronise it and compute that again, or let production do so: headrace branch promote --rebuild."


Passed = frozenset[tuple[str, str, str]]  # runs, assets and blocking checks that passed


def candidates(
    catalog: Catalog, branch: Namespace, merged: Mapping[str, Description], passed: Passed = frozenset()
) -> Candidates:
    """Looks at what a branch shows of its own.

    Args:
        merged: by asset the description that the code gives which production will run.
        passed: the checks that passed in runs of the branch.
    """
    pin = catalog.namespace(branch).pin
    own = [version for version in catalog.own_versions(branch) if version.asset in merged]
    own.sort(key=lambda version: (version.transaction, *_place(version)))  # people read of them as they were computed
    before = {(ref.asset, ref.partition): ref.version for ref in _production_then(catalog, pin, own)}
    now = _production_now(catalog, own)
    left = [version for version in own if _promoted_from(now.get(_place(version))) != version.id]
    left = _unsettled(left, merged, before, now)
    looked_at = [
        _obstacle(version, merged[version.asset], passed, _moved(version, before, now, left)) for version in left
    ]
    obstacles = tuple(found for found in looked_at if found)
    return Candidates(branch, tuple(left), obstacles, tuple(_expects(left, before, now)))


def _unsettled(
    left: Sequence[Version],
    merged: Mapping[str, Description],
    before: Mapping[Place, str | None],
    now: Mapping[Place, Version],
) -> list[Version]:
    """Without those whose place production has computed since, by the code that was merged and from what it shows."""
    rest, written = list(left), {_place(version) for version in left}

    def is_settled(version: Version) -> bool:
        here = now.get(_place(version))
        if here is None or here.id == before.get(_place(version)) or not is_made_by(here, merged[here.asset]):
            return False
        read = here.provenance.inputs
        return all((item.asset, item.partition) not in written and _is_shown(item, now) for item in read)

    while settled := [version for version in rest if is_settled(version)]:
        rest = [version for version in rest if version not in settled]
        written = {_place(version) for version in rest}
    return rest


def promoted(catalog: Catalog, branch: Namespace) -> list[Version]:
    """What production shows that was promoted out of a branch."""
    ids = set(catalog.written_by(branch))
    places = [(version.asset, version.partition) for version in catalog.versions(sorted(ids))]
    shown = catalog.versions([ref.version for ref in catalog.shown_refs(PRODUCTION, places) if ref.version])
    return [version for version in shown if _promoted_from(version) in ids]


def promote(
    catalog: Catalog, store: Store, found: Candidates, leave: Leave, verify: Callable[[], object] = lambda: None
) -> list[Version]:
    """Makes the candidates production's: their files first, then one transaction, in which everything is looked at
    once more. Versions of production, in the order of the candidates.

    Args:
        verify: asks within the transaction whether the leave still holds; raises when not.

    Raises:
        PromotionError: an obstacle.
        ConflictError: production moved in between, or the token was used before.
    """
    found.require()
    adopted = [adopt_version(store, version, PRODUCTION) for version in found.versions]
    ids = {version.id: new.id for version, new in zip(found.versions, adopted, strict=True)}
    drafts = [_as_promoted(version, new, ids) for version, new in zip(found.versions, adopted, strict=True)]
    log = Promotion(0, str(PRODUCTION), leave.branch, leave.digest, leave.token, leave.issuer, leave.issued_at)
    return catalog.promote(PRODUCTION, drafts, found.expects, log, verify)


def _as_promoted(version: Version, draft: Version, ids: Mapping[str, str]) -> Version:
    """A draft that says what it was, and that names inputs by what they become in the same transaction."""

    def renamed(item: InputVersion) -> InputVersion:
        return replace(item, version=ids[item.version], namespace=str(PRODUCTION)) if item.version in ids else item

    made = replace(draft.provenance, inputs=tuple(map(renamed, draft.provenance.inputs)))
    return replace(draft, provenance=made, metadata={**draft.metadata, PROMOTED_FROM: version.id})


def _place(version: Version) -> Place:
    return version.asset, version.partition


def _promoted_from(version: Version | None) -> str | None:
    return version.metadata.get(PROMOTED_FROM) if version else None


def _production_then(catalog: Catalog, pin: int | None, own: Sequence[Version]) -> Sequence[Ref]:
    places = [_place(version) for version in own]
    return catalog.own_refs_at(PRODUCTION, pin, places) if pin is not None else catalog.shown_refs(PRODUCTION, places)


def _production_now(catalog: Catalog, own: Sequence[Version]) -> dict[Place, Version]:
    """What production shows of what was written and read, and of what it itself computed that from."""
    mine = {_place(version) for version in own}
    shown = _shown(catalog, mine | _read_by(own))
    return shown | _shown(catalog, _read_by([shown[place] for place in mine & shown.keys()]) - shown.keys())


def _shown(catalog: Catalog, places: Collection[Place]) -> dict[Place, Version]:
    found = catalog.versions([ref.version for ref in catalog.shown_refs(PRODUCTION, places) if ref.version])
    return {_place(version): version for version in found}


def _read_by(versions: Iterable[Version]) -> set[Place]:
    return {(item.asset, item.partition) for version in versions for item in version.provenance.inputs}


def _reads_any(version: Version, ids: Collection[str]) -> bool:
    return any(item.version in ids for item in version.provenance.inputs)


def _unchecked(version: Version, description: Description, passed: Passed) -> str:
    run = version.provenance.run_id
    missing = [check for check in description["blocking"] if (run, version.asset, check) not in passed]
    return f"{version.label} has not passed {listed(missing)} in the run that computed it" if missing else ""


def _obstacle(version: Version, description: Description, passed: Passed, moved: str) -> Obstacle | None:
    """What keeps a version from being promoted.

    Args:
        moved: what production went on from; empty where it did not.
    """
    if sentence := _unchecked(version, description, passed):
        return Obstacle(version, sentence)
    if not is_made_by(version, description):
        return Obstacle(
            version, f"{version.label} was not computed by the code and in the environment that production will run"
        )
    return Obstacle(version, moved, moved=True) if moved else None


def _moved(
    version: Version, before: Mapping[Place, str | None], now: Mapping[Place, Version], own: Sequence[Version]
) -> str:
    """What moved on since a version was computed; empty when nothing did."""
    here = now.get(_place(version))
    if (here.id if here else None) != before.get(_place(version)):
        return f"production shows another {_name(*_place(version))} since the branch was opened or synchronised"
    mine, written = {one.id for one in own}, {_place(one) for one in own}
    others = [item for item in foreign_inputs(version) if item.version not in mine]
    moved = [item for item in others if (item.asset, item.partition) in written or not _is_shown(item, now)]
    names = listed(dict.fromkeys(_name(item.asset, item.partition) for item in moved), most=2)
    return f"{version.asset} was computed from {names} as nobody shows it any more" if moved else ""


def _is_shown(item: InputVersion, now: Mapping[Place, Version]) -> bool:
    """Whether production shows the version that was read, itself or as what it was promoted to."""
    here = now.get((item.asset, item.partition))
    return here is not None and item.version in (here.id, _promoted_from(here))


def _expects(
    left: Sequence[Version], before: Mapping[Place, str | None], now: Mapping[Place, Version]
) -> Iterable[Expectation]:
    """Everything that the branch wrote and read is in production as it was."""
    mine = {version.id for version in left}
    wanted: dict[Place, str | None] = {}
    for version in left:
        wanted[_place(version)] = before.get(_place(version))
        for item in version.provenance.inputs:
            place = item.asset, item.partition
            if item.version not in mine and place in now:
                wanted.setdefault(place, now[place].id)
    return [Expectation(PRODUCTION, *place, version) for place, version in wanted.items()]


def _name(asset: str, partition: str) -> str:
    return f"{asset}[{partition}]" if partition else asset
