"""Whatever is done in whatever order, the catalog shows what a few lists would, now and as of any transaction."""

from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.engine import open_engine
from platform_core.catalog.values import AsOf, Expectation, Move, Provenance
from platform_core.errors import ConflictError, NamespaceError, NotFoundError
from platform_core.namespaces import PRODUCTION, Namespace
from tests.platform_core.drafts import BRANCH, TESS, draft
from tests.platform_core.postgres import Postgres

SPACES = (PRODUCTION, TESS, BRANCH)
ASSETS = ("a", "a/b", "c")
PARTITIONS = ("", "1", "2")
RUNS = ("", "r", "s")
A_PLACE = st.tuples(st.sampled_from(ASSETS), st.sampled_from(PARTITIONS))
PLACES = st.sets(A_PLACE, min_size=1, max_size=4)
A_SPACE = st.sampled_from(SPACES)

Place = tuple[str, str]


@dataclass(frozen=True)
class Pointed:
    """What a namespace was made to show from a transaction on; no version: nothing of its own."""

    number: int
    namespace: Namespace
    place: Place
    version: str | None
    run: str = ""  # that wrote the version


@dataclass(frozen=True)
class Frame:
    """How a namespace reads from a transaction on."""

    number: int
    namespace: Namespace
    pin: int | None
    since: int


class CatalogMachine(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.catalog = self.new_catalog()
        self.log: list[Pointed] = []
        self.frames: list[Frame] = []
        self.places: dict[str, Place] = {}
        self.runs: dict[str | None, str] = {}  # by version the one that wrote it
        self.open_spaces: set[Namespace] = {PRODUCTION}
        self.closed: set[Namespace] = set()
        self.forgotten: set[str] = set()
        self.number = 0

    def new_catalog(self) -> Catalog:
        return Catalog(open_engine("sqlite://"))

    def _took(self, number: int) -> None:
        assert number == self.number + 1
        self.number = number

    def _point(self, namespace: Namespace, number: int, moves: dict[Place, str | None]) -> None:
        self._took(number)
        self.open_spaces.add(namespace)
        self.log += [
            Pointed(number, namespace, place, version, self.runs.get(version, "")) for place, version in moves.items()
        ]

    @rule(namespace=A_SPACE, places=PLACES, run=st.sampled_from(RUNS))
    def commit(self, namespace: Namespace, places: set[Place], run: str) -> None:
        made = Provenance(run_id=run)
        drafts = [draft(asset, partition, namespace, provenance=made) for asset, partition in sorted(places)]
        self.runs |= {version.id: run for version in drafts}
        if namespace in self.closed:
            with pytest.raises(NamespaceError):
                self.catalog.commit(namespace, drafts)
            return
        own = {place: p.version for place, p in self._expected(namespace).items() if p.namespace == namespace}
        versions = self.catalog.commit(namespace, drafts)
        (number,) = {version.transaction for version in versions}
        self._point(namespace, number, {(v.asset, v.partition): v.id for v in versions})
        self.places |= {v.id: (v.asset, v.partition) for v in versions}
        assert [v.replaces for v in versions] == [own.get((v.asset, v.partition)) for v in versions]

    @precondition(lambda self: self.places)
    @rule(data=st.data(), namespace=A_SPACE, source=A_SPACE)
    def move(self, data: st.DataObject, namespace: Namespace, source: Namespace) -> None:
        """Promotion, rollback and withdrawal: any version there ever was, or none, wherever it belongs."""
        chosen = data.draw(st.lists(st.sampled_from(sorted(self.places)), max_size=3), "versions")
        moves: dict[Place, str | None] = dict.fromkeys(data.draw(st.sets(A_PLACE, max_size=2), "withdrawn"))
        moves |= {self.places[version]: version for version in chosen}
        expected = {place: pointed.version for place, pointed in self._expected(source).items()}
        read = data.draw(st.sets(A_PLACE, max_size=3), "read")
        expects = [Expectation(source, *place, expected.get(place)) for place in sorted(read)]
        orders = [Move(*place, version) for place, version in moves.items()]
        if namespace in self.closed or self.forgotten & set(moves.values()):
            with pytest.raises((NamespaceError, NotFoundError)):
                self.catalog.move_refs(namespace, orders, kind="promote", expects=expects)
            return
        self._point(namespace, self.catalog.move_refs(namespace, orders, kind="promote", expects=expects), moves)

    @precondition(lambda self: self.places)
    @rule(data=st.data(), source=A_SPACE, place=A_PLACE)
    def move_what_moved(self, data: st.DataObject, source: Namespace, place: Place) -> None:
        """An expectation that does not hold leaves everything as it was."""
        shown = self._expected(source).get(place)
        wrong = data.draw(st.sampled_from(["nowhere", None] if shown else ["nowhere"]), "expected")
        expects = [Expectation(source, *place, wrong)]
        with pytest.raises(ConflictError) as error:
            self.catalog.move_refs(PRODUCTION, [Move(*place, None)], kind="promote", expects=expects)
        assert len(error.value.places) == 1

    @rule(namespace=st.sampled_from((TESS, BRANCH)), pinned=st.booleans())
    def open_namespace(self, namespace: Namespace, pinned: bool) -> None:
        if namespace in self.open_spaces:
            with pytest.raises(NamespaceError, match="open already"):
                self.catalog.open_namespace(namespace, pinned=pinned)
            return
        record = self.catalog.open_namespace(namespace, pinned=pinned)
        self._took(record.since)
        self.open_spaces.add(namespace)
        self.closed.discard(namespace)
        self.frames.append(Frame(self.number, namespace, self.number if pinned else None, self.number))
        assert record.pin == self.frames[-1].pin

    @rule(namespace=st.sampled_from((TESS, BRANCH)))
    def sync_namespace(self, namespace: Namespace) -> None:
        if namespace not in self.open_spaces:
            with pytest.raises(NamespaceError):
                self.catalog.sync_namespace(namespace)
            return
        record = self.catalog.sync_namespace(namespace)
        assert record.pin is not None
        self._took(record.pin)
        self.frames.append(Frame(self.number, namespace, self.number, self._frame(namespace, self.number).since))

    @rule(namespace=st.sampled_from((TESS, BRANCH)))
    def close_namespace(self, namespace: Namespace) -> None:
        if namespace not in self.open_spaces:
            with pytest.raises(NamespaceError):
                self.catalog.close_namespace(namespace)
            return
        self._took(self.catalog.close_namespace(namespace).since)
        self.open_spaces.discard(namespace)
        self.closed.add(namespace)
        self.frames.append(Frame(self.number, namespace, None, self.number))

    @precondition(lambda self: self.places)
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        """What anybody can see stays, whatever is asked for."""
        chosen = data.draw(st.sets(st.sampled_from(sorted(self.places)), max_size=4), "versions")
        visible = {entry.version for space in SPACES for entry in self._expected(space).values()}
        assert self.catalog.unreachable_versions() == set(self.places) - visible
        gone = self.catalog.forget(chosen)
        assert set(gone) == chosen - visible
        self.forgotten |= set(gone)

    @rule(namespace=A_SPACE, asset=st.sampled_from(ASSETS), wanted=st.none() | st.lists(st.sampled_from(PARTITIONS)))
    def resolve(self, namespace: Namespace, asset: str, wanted: list[str] | None) -> None:
        expected = {partition: entry for (name, partition), entry in self._expected(namespace).items() if name == asset}
        found = self.catalog.resolve(namespace, asset, wanted)
        keys = set(expected) if wanted is None else set(expected) & set(wanted)
        assert {key: (item.version.id, item.shown_by) for key, item in found.items()} == {
            key: (expected[key].version, str(expected[key].namespace)) for key in keys
        }

    @rule(namespace=A_SPACE, asset=st.sampled_from(ASSETS), run=st.sampled_from(RUNS), data=st.data())
    def resolve_in_a_run(self, namespace: Namespace, asset: str, run: str, data: st.DataObject) -> None:
        moment = data.draw(st.integers(0, self.number), "moment")
        found = self.catalog.resolve(namespace, asset, as_of=AsOf(moment, run))
        expected = self._expected(namespace, moment, run)
        assert {key: (item.version.id, item.shown_by) for key, item in found.items()} == {
            place[1]: (entry.version, str(entry.namespace)) for place, entry in expected.items() if place[0] == asset
        }

    @rule(namespace=A_SPACE, asset=st.sampled_from(ASSETS), partition=st.none() | st.sampled_from(PARTITIONS))
    def history(self, namespace: Namespace, asset: str, partition: str | None) -> None:
        seen = [entry for entry in self.log if entry.namespace in (namespace, PRODUCTION) and entry.version]
        seen = [entry for entry in seen if entry.place[0] == asset and partition in (None, entry.place[1])]
        last = {(entry.version, str(entry.namespace)): entry.number for entry in seen}
        found = [(item.version.id, item.shown_by) for item in self.catalog.history(namespace, asset, partition)]
        assert sorted(found) == sorted(last)
        assert [last[item] for item in found] == sorted(last.values(), reverse=True)

    @rule(namespace=A_SPACE)
    def current(self, namespace: Namespace) -> None:
        found = self.catalog.current(namespace)
        assert {(item.version.asset, item.version.partition): item.version.id for item in found} == {
            place: entry.version for place, entry in self._expected(namespace).items()
        }

    @rule(namespace=A_SPACE, data=st.data())
    def shown_at(self, namespace: Namespace, data: st.DataObject) -> None:
        moment = data.draw(st.integers(0, self.number), "moment")
        found = self.catalog.shown_at(namespace, moment)
        assert {(item.version.asset, item.version.partition): item.version.id for item in found} == {
            place: entry.version for place, entry in self._expected(namespace, moment).items()
        }

    @precondition(lambda self: self.number)
    @rule(data=st.data())
    def unreachable_since(self, data: st.DataObject) -> None:
        """What is shown now, or was shown of its own by anybody since then, counts as reachable; nothing else does."""
        since = data.draw(st.integers(0, self.number), "since")
        moments = range(since, self.number + 1)
        own = {e.version for n in SPACES for m in moments for e in self._expected(n, m).values() if e.namespace == n}
        now = {entry.version for space in SPACES for entry in self._expected(space).values()}
        assert self.catalog.unreachable_versions(since) == set(self.places) - own - now

    @rule(namespace=A_SPACE, data=st.data())
    def places_changed(self, namespace: Namespace, data: st.DataObject) -> None:
        """All places at which something else of its own is shown, and what was shown there."""
        moment = data.draw(st.integers(0, self.number), "moment")
        then, now = (self._own(namespace, at) for at in (moment, self.number))
        changed = self.catalog.places_changed(namespace, moment)
        assert {place for place, _ in then.items() ^ now.items()} <= set(changed)
        found = self.catalog.own_refs_at(namespace, moment, changed)
        assert {(ref.asset, ref.partition): ref.version for ref in found} == {
            place: version for place, version in then.items() if place in changed
        }

    @rule(namespace=A_SPACE)
    def own_refs(self, namespace: Namespace) -> None:
        found = {(ref.asset, ref.partition): ref.version for ref in self.catalog.own_refs(namespace)}
        assert found == self._own(namespace, self.number)

    def _own(self, namespace: Namespace, moment: int) -> dict[Place, str | None]:
        expected = self._expected(namespace, moment)
        return {place: entry.version for place, entry in expected.items() if entry.namespace == namespace}

    def teardown(self) -> None:
        for namespace in SPACES if self.number else ():
            self.current(namespace)
        self.catalog._engine.dispose()

    def _frame(self, namespace: Namespace, moment: int) -> Frame:
        frames = [frame for frame in self.frames if frame.namespace == namespace and frame.number <= moment]
        return frames[-1] if frames else Frame(0, namespace, None, 0)

    def _expected(self, namespace: Namespace, moment: int | None = None, run: str = "") -> dict[Place, Pointed]:
        """What is shown now, or as of a moment, and then besides what a run has written."""
        now = self.number if moment is None else moment
        log = [entry for entry in self.log if entry.number <= now or (run and entry.run == run)]
        frame = self._frame(namespace, now)
        pin = self.number if frame.pin is None else frame.pin
        parents = {e.place: e for e in log if e.namespace == PRODUCTION and e.number <= pin}
        own = {e.place: e for e in log if e.namespace == namespace and frame.since <= e.number}
        layers = [parents, own] if namespace != PRODUCTION else [own]
        return {place: e for layer in layers for place, e in layer.items() if e.version is not None}


CatalogMachine.TestCase.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
TestCatalogAgainstAModel = CatalogMachine.TestCase


def test_on_postgresql_too_the_catalog_shows_what_the_model_does(postgres: Postgres) -> None:
    class OnPostgres(CatalogMachine):
        def new_catalog(self) -> Catalog:
            return Catalog(open_engine(postgres.new_catalog()))

    run_state_machine_as_test(OnPostgres, settings=settings(max_examples=5, stateful_step_count=15, deadline=None))
