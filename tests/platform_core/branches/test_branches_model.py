"""Whatever happens in branches, production's refs, bytes, event log, runs, schedules and sensors change by its own
runs, promotions and rollbacks alone.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import dagster as dg
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from platform_core.branches.deployment import Deployment
from platform_core.branches.opening import close_branch
from platform_core.branches.promotion import candidates, promote
from platform_core.branches.read_through import tell_of_production
from platform_core.branches.tokens import accept, issue
from platform_core.errors import ConflictError, PromotionError
from platform_core.history.gc import collect, find_garbage
from platform_core.history.rollback import plan_rollback, roll_back
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.runner.promotion import instance_of, promote_branch
from platform_core.settings import as_if_in
from platform_core.ui.empty import EmptyInstance
from tests.platform_core.branches.conftest import World, new_world
from tests.platform_core.played_daemon import note_tick, switch_schedule_on
from tests.platform_core.runs import QUIET

BRANCHES = [Namespace("branch", name) for name in ("one", "two")]
ASSETS = ("t/feature", "t/model", "t/other")
branches, assets = st.sampled_from(BRANCHES), st.sampled_from(ASSETS)


class Branches(RuleBasedStateMachine):
    """Agrees with a dictionary of what production shows."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp())
        self.world: World = new_world(self.folder)
        self.open: dict[Namespace, Deployment] = {branch: self.world.open(branch) for branch in BRANCHES}
        self.number = 0
        self.shown = self._look()
        self.states = {self._last(): self.shown}

    def teardown(self) -> None:
        self.world.catalog._engine.dispose()
        shutil.rmtree(self.folder)

    def _look(self) -> dict[str, Any]:
        return {asset: self.world.value(PRODUCTION, asset) for asset in ASSETS}

    def _last(self) -> int:
        return self.world.catalog.transactions(PRODUCTION)[-1].number

    def _next(self) -> int:
        self.number += 1
        return self.number

    @rule(asset=assets)
    def compute_in_production(self, asset: str) -> None:
        value = self._next()
        self.world.compute(PRODUCTION, asset, value)
        self.shown = {**self.shown, asset: value}
        self.states[self._last()] = self.shown

    @rule(branch=branches)
    def open_a_branch(self, branch: Namespace) -> None:
        if branch not in self.open:
            self.open[branch] = self.world.open(branch)

    @precondition(lambda self: self.open)
    @rule(branch=branches, asset=assets)
    def compute_in_a_branch(self, branch: Namespace, asset: str) -> None:
        if branch in self.open:
            value = self._next()
            self.world.compute(branch, asset, value)
            assert self.world.value(branch, asset) == value

    @precondition(lambda self: self.open)
    @rule(branch=branches)
    def synchronise(self, branch: Namespace) -> None:
        if branch in self.open:
            self.world.catalog.sync_namespace(branch)

    @precondition(lambda self: self.open)
    @rule(branch=branches)
    def promote_a_branch(self, branch: Namespace) -> None:
        if branch not in self.open:
            return
        found = candidates(self.world.catalog, branch, self.world.assets)
        if not found.versions:
            return
        expected = self.shown | {v.asset: self.world.value(branch, v.asset) for v in found.versions}
        token = issue(self.world.settings, branch, found.digest, "ann")
        try:
            promote(
                self.world.catalog, self.world.store, found, accept(self.world.settings, token, branch, found.digest)
            )
        except (PromotionError, ConflictError):
            assert found.obstacles
            return
        assert not found.obstacles
        event(f"promoted {len(found.versions)} versions")
        self.shown = expected
        self.states[self._last()] = self.shown

    @precondition(lambda self: self.open)
    @rule(branch=branches)
    def close_a_branch(self, branch: Namespace) -> None:
        if branch in self.open:
            close_branch(self.world.catalog, self.world.store, self.open.pop(branch))
            assert not [path for path in (self.folder / "store" / str(branch)).rglob("*") if path.is_file()]

    @rule(data=st.data())
    def go_back(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.states)))
        steps = plan_rollback(self.world.catalog, PRODUCTION, number)
        if steps:
            roll_back(self.world.catalog, PRODUCTION, steps, f"to {number}")
            self.shown = self.states[number]
            self.states[self._last()] = self.shown

    @rule()
    def collect_garbage(self) -> None:
        list(collect(self.world.catalog, self.world.store, find_garbage(self.world.catalog, self.world.store)))

    @invariant()
    def production_shows_what_it_should(self) -> None:
        assert self._look() == self.shown


TestBranches = Branches.TestCase
TestBranches.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


NIGHTLY = dg.ScheduleDefinition(name="nightly", cron_schedule="0 3 * * *", target=dg.AssetSelection.all())
Tables = dict[str, list[str]]  # by database all that it holds, as SQL


class BranchesWithInstances(Branches):
    """The same with Dagster instances, in which runs happen, schedules are switched on and off, and sensors tick."""

    def __init__(self) -> None:
        super().__init__()
        (self.folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        self.empty = EmptyInstance(_folder_of_the_empty_one(), self.world.settings)
        with self._instance(PRODUCTION) as instance:
            _materialize(instance, "t/model", lambda: None)
            switch_schedule_on(instance, NIGHTLY)
            note_tick(instance, "delivered")
        self.recorded = self._record()

    @contextmanager
    def _instance(self, namespace: Namespace) -> Iterator[dg.DagsterInstance]:
        with self._here():
            self.empty.give(namespace, self.folder)
            with instance_of(namespace) as instance:
                yield instance

    def _here(self) -> Any:
        return as_if_in({"HEADRACE_HOME": str(self.folder), "HEADRACE_REPOSITORY": str(self.folder)})

    def _run(self, namespace: Namespace, asset: str) -> None:
        """A run that computes an asset."""
        with self._instance(namespace) as instance:
            _materialize(instance, asset, lambda: self.world.compute(namespace, asset, self._next()))

    def _record(self) -> Tables:
        """All that production's instance knows: its runs, events, schedules, sensors and ticks."""
        databases = sorted((self.folder / "dagster" / PRODUCTION.slug).rglob("*.db"))
        return {str(path.relative_to(self.folder)): _dump(path) for path in databases}

    @rule(asset=assets)
    def compute_in_production(self, asset: str) -> None:
        self._run(PRODUCTION, asset)
        self.shown = {**self.shown, asset: self.number}
        self.states[self._last()] = self.shown
        self.recorded = self._record()

    @precondition(lambda self: self.open)
    @rule(branch=branches, asset=assets)
    def compute_in_a_branch(self, branch: Namespace, asset: str) -> None:
        if branch in self.open:
            self._run(branch, asset)

    @precondition(lambda self: self.open)
    @rule(branch=branches)
    def tell_a_branch_of_production(self, branch: Namespace) -> None:
        if branch in self.open:
            with self._instance(branch) as instance:
                tell_of_production(instance, self.world.catalog, branch)

    @precondition(lambda self: self.open)
    @rule(branch=branches, on=st.booleans())
    def switch_and_tick_in_a_branch(self, branch: Namespace, on: bool) -> None:
        if branch in self.open:
            with self._instance(branch) as instance:
                switch_schedule_on(instance, NIGHTLY)
                note_tick(instance, "delivered", None if on else RuntimeError("no file"))
                for state in () if on else _schedules(instance):
                    instance.stop_schedule(state.instigator_origin_id, state.selector_id, None)

    @precondition(lambda self: self.open)
    @rule(branch=branches)
    def promote_a_branch(self, branch: Namespace) -> None:
        if branch not in self.open:
            return
        values = {asset: self.world.value(branch, asset) for asset in ASSETS}
        with self._here():
            try:
                done, _ = promote_branch(branch, self.world.assets, "")
            except (PromotionError, ConflictError):
                return
        if done:
            self.shown = self.shown | {version.asset: values[version.asset] for version in done}
            self.states[self._last()] = self.shown
        now = self._record()
        assert all(now[name] == self.recorded[name] for name in now if name.endswith(("runs.db", "schedules.db")))
        self.recorded = now

    @invariant()
    def productions_instance_knows_what_it_did(self) -> None:
        assert self._record() == self.recorded


def _materialize(instance: dg.DagsterInstance, asset: str, compute: Callable[[], object]) -> None:
    @dg.asset(key=asset.split("/"))
    def computed() -> None:
        compute()

    assert dg.materialize([computed], instance=instance, run_config=QUIET).success


def _schedules(instance: dg.DagsterInstance) -> list[Any]:
    return [state for state in instance.all_instigator_state() if state.name == NIGHTLY.name]


@lru_cache
def _folder_of_the_empty_one() -> Path:
    return Path(mkdtemp())


def _dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


TestBranchesWithInstances = BranchesWithInstances.TestCase
TestBranchesWithInstances.settings = settings(max_examples=3, stateful_step_count=8, deadline=None)


def test_only_a_promotion_tells_productions_instance_something() -> None:
    """What few examples of the machine above may not come to: one branch is promoted beside another one."""
    state, (one, two) = BranchesWithInstances(), BRANCHES
    state.compute_in_a_branch(one, "t/model")
    state.compute_in_a_branch(two, "t/other")
    state.switch_and_tick_in_a_branch(two, on=False)
    state.switch_and_tick_in_a_branch(two, on=True)
    state.tell_a_branch_of_production(two)
    before = state.recorded
    assert state._record() == before
    state.promote_a_branch(one)
    assert state.shown["t/model"] == 1
    assert state.recorded != before
    state.close_a_branch(two)
    state.productions_instance_knows_what_it_did()
    state.production_shows_what_it_should()
    state.teardown()
