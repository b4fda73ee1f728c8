"""Whatever is written in whatever order, the catalog shows what a few dictionaries would."""

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from sqlalchemy import update

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.engine import open_engine
from platform_core.catalog.tables import namespaces
from platform_core.namespaces import PRODUCTION, Namespace
from tests.platform_core.drafts import BRANCH, TESS, draft

SPACES = (PRODUCTION, TESS, BRANCH)
ASSETS = ("a", "a/b", "c")
PARTITIONS = ("", "1", "2")
PLACES = st.sets(st.tuples(st.sampled_from(ASSETS), st.sampled_from(PARTITIONS)), min_size=1, max_size=4)
A_SPACE = st.sampled_from(SPACES)

Place = tuple[str, str]


@dataclass(frozen=True)
class Written:
    number: int
    namespace: Namespace
    place: Place
    version: str


class CatalogMachine(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.catalog = Catalog(open_engine("sqlite://"))
        self.log: list[Written] = []
        self.pins: dict[Namespace, int] = {}

    @rule(namespace=A_SPACE, places=PLACES)
    def commit(self, namespace: Namespace, places: set[Place]) -> None:
        drafts = [draft(asset, partition, namespace) for asset, partition in sorted(places)]
        versions = self.catalog.commit(namespace, drafts)
        (number,) = {version.transaction for version in versions}
        assert number > max((entry.number for entry in self.log), default=0)
        self.log += [Written(number, namespace, (v.asset, v.partition), v.id) for v in versions]

    @rule()
    def pin_the_branch(self) -> None:
        """What opening a branch, or synchronising it, is going to do."""
        if not any(entry.namespace == BRANCH for entry in self.log):
            self.commit(BRANCH, {("c", "2")})
        self.pins[BRANCH] = self.log[-1].number
        with self.catalog._engine.begin() as connection:
            row = namespaces.c.name == str(BRANCH)
            connection.execute(update(namespaces).where(row).values(pin=self.pins[BRANCH]))

    @rule(namespace=A_SPACE, asset=st.sampled_from(ASSETS), wanted=st.none() | st.lists(st.sampled_from(PARTITIONS)))
    def resolve(self, namespace: Namespace, asset: str, wanted: list[str] | None) -> None:
        expected = {partition: entry for (name, partition), entry in self._expected(namespace).items() if name == asset}
        found = self.catalog.resolve(namespace, asset, wanted)
        keys = set(expected) if wanted is None else set(expected) & set(wanted)
        assert {key: (item.version.id, item.shown_by) for key, item in found.items()} == {
            key: (expected[key].version, str(expected[key].namespace)) for key in keys
        }

    @rule(namespace=A_SPACE, asset=st.sampled_from(ASSETS), partition=st.none() | st.sampled_from(PARTITIONS))
    def history(self, namespace: Namespace, asset: str, partition: str | None) -> None:
        seen = [entry for entry in self.log if entry.namespace in (namespace, PRODUCTION)]
        seen = [entry for entry in seen if entry.place[0] == asset and partition in (None, entry.place[1])]
        found = self.catalog.history(namespace, asset, partition)
        assert {item.version.id for item in found} == {entry.version for entry in seen}
        numbers = [item.version.transaction for item in found]
        assert numbers == sorted(numbers, reverse=True)

    @rule(namespace=A_SPACE)
    def current(self, namespace: Namespace) -> None:
        found = {
            (item.version.asset, item.version.partition): item.version.id for item in self.catalog.current(namespace)
        }
        assert found == {place: entry.version for place, entry in self._expected(namespace).items()}

    def teardown(self) -> None:
        for namespace in SPACES:
            self.current(namespace)

    def _expected(self, namespace: Namespace) -> dict[Place, Written]:
        pinned = self.pins.get(namespace)
        parents = [e for e in self.log if e.namespace == PRODUCTION and (pinned is None or e.number <= pinned)]
        own = [entry for entry in self.log if entry.namespace == namespace]
        return {entry.place: entry for entry in [*parents, *own]}


CatalogMachine.TestCase.settings = settings(max_examples=20, stateful_step_count=15, deadline=None)
TestCatalogAgainstAModel = CatalogMachine.TestCase
