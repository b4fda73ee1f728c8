"""Any sequence of writes, openings, syncs, rollbacks and clean-ups agrees with a small model in memory.

Values are read back from their files each time. Production changes only by what is done in production itself.
"""

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import polars as pl
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.engine import open_engine
from platform_core.errors import NotFoundError
from platform_core.history.fsck import check_files
from platform_core.history.gc import collect, find_garbage
from platform_core.history.rollback import plan_rollback, roll_back
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.store.local import LocalStore
from platform_core.store.values import Target, read_versions, write_version

USER, BRANCH = Namespace("user", "ada"), Namespace("branch", "try")
NAMESPACES = st.sampled_from([PRODUCTION, USER, BRANCH])
PLACES = st.tuples(
    st.sampled_from(["shop/orders", "shop/Orders", "shop/..", "läden/a b"]), st.sampled_from(["", "1", "a/b"])
)
Shown = dict[tuple[str, str], int]


class Time(RuleBasedStateMachine):
    """The model: what each namespace has of its own after each of its transactions, and the pin of the branch."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.catalog = Catalog(open_engine(f"sqlite:///{self.folder}/catalog.db"))
        self.store = LocalStore(self.folder / "store")
        self.own: dict[Namespace, dict[int, Shown]] = {name: {0: {}} for name in (PRODUCTION, USER, BRANCH)}
        self.catalog.open_namespace(BRANCH, "ada")
        self.pin = 0
        self.value = 0

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _latest(self, namespace: Namespace) -> Shown:
        return self.own[namespace][max(self.own[namespace])]

    def _as_of(self, namespace: Namespace, number: int) -> Shown:
        return self.own[namespace][max(at for at in self.own[namespace] if at <= number)]

    def _shown(self, namespace: Namespace) -> Shown:
        parents = self._as_of(PRODUCTION, self.pin) if namespace == BRANCH else self._latest(PRODUCTION)
        return {**parents, **self._latest(namespace)}

    @rule(namespace=NAMESPACES, places=st.sets(PLACES, min_size=1, max_size=3))
    def write(self, namespace: Namespace, places: set[tuple[str, str]]) -> None:
        self.value += 1
        frame = pl.DataFrame({"value": [self.value]})
        drafts = [write_version(self.store, frame, Target(namespace, *place)) for place in sorted(places)]
        number = self.catalog.commit(namespace, drafts)[0].transaction
        self.own[namespace][number] = {**self._latest(namespace), **dict.fromkeys(places, self.value)}

    @rule(namespace=NAMESPACES)
    def interrupted_write(self, namespace: Namespace) -> None:
        write_version(self.store, pl.DataFrame({"value": [-1]}), Target(namespace, "shop/orders"))

    @rule()
    def sync(self) -> None:
        pin = self.catalog.sync_namespace(BRANCH).pin
        assert pin is not None
        self.pin = pin

    @rule(namespace=NAMESPACES, data=st.data())
    def go_back(self, namespace: Namespace, data: st.DataObject) -> None:
        moment = data.draw(st.sampled_from(sorted(self.own[namespace])))
        try:
            steps = plan_rollback(self.catalog, namespace, moment)
        except NotFoundError:
            return  # what was there then was given up; the invariant sees to it that nothing changed
        if steps:
            number = roll_back(self.catalog, namespace, steps, "")
            self.own[namespace][number] = dict(self._as_of(namespace, moment))

    @rule()
    def clean_up(self) -> None:
        garbage = find_garbage(self.catalog, self.store, keep=timedelta(0), grace=timedelta(0))
        list(collect(self.catalog, self.store, garbage))
        left = {key for key, _ in self.store.version_folders()}
        assert len(left) == len(self._reachable())

    def _reachable(self) -> set[tuple[Namespace, tuple[str, str], int]]:
        pinned = self._as_of(PRODUCTION, self.pin)
        current = {(name, *item) for name in self.own for item in self._latest(name).items()}
        return current | {(PRODUCTION, *item) for item in pinned.items()}

    @invariant()
    @precondition(lambda self: hasattr(self, "own"))
    def every_namespace_reads_what_the_model_says(self) -> None:
        for namespace in self.own:
            shown = self.catalog.current(namespace)
            values = {
                (item.version.asset, item.version.partition): read_versions(
                    self.store, [item.version], pl.DataFrame
                ).item()
                for item in shown
            }
            assert values == self._shown(namespace)

    @invariant()
    @precondition(lambda self: hasattr(self, "own"))
    def every_file_is_sound(self) -> None:
        assert check_files(self.catalog, self.store).problems == ()


Time.TestCase.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
TestTime = Time.TestCase
