"""What was reviewed becomes production's in one transaction, or nothing does and it is said why."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier

import pytest

from platform_core.branches.pending import pending
from platform_core.branches.promotion import Candidates, candidates, promote, promoted
from platform_core.branches.tokens import Leave, accept, issue
from platform_core.catalog.values import PROMOTED_FROM, Version
from platform_core.errors import ConflictError, PromotionError
from platform_core.history.rollback import plan_rollback
from platform_core.namespaces import PRODUCTION, Namespace
from tests.platform_core.branches.conftest import NEW_ENGINE, World


def look(world: World, branch: Namespace = NEW_ENGINE) -> Candidates:
    return candidates(world.catalog, branch, world.assets)


def go(world: World, found: Candidates, token: str = "t1") -> list[Version]:
    leave = Leave(str(found.branch), found.digest, "ann", token, datetime.now(UTC))
    return promote(world.catalog, world.store, found, leave)


@pytest.fixture
def reviewed(world: World) -> World:
    """A branch with another feature, and the model that follows from it."""
    world.open()
    world.edit("t/feature", code="c2")
    world.compute(NEW_ENGINE, "t/feature", {"of": "the branch"})
    world.compute(NEW_ENGINE, "t/model", {"of": "the branch"})
    return world


def test_the_very_values_become_productions(reviewed: World) -> None:
    done = {version.asset: version for version in go(reviewed, look(reviewed))}
    assert reviewed.value(PRODUCTION, "t/feature") == {"of": "the branch"}
    feature, model = done["t/feature"], done["t/model"]
    own = reviewed.catalog.resolve(NEW_ENGINE, "t/feature")[""].version
    assert (feature.metadata[PROMOTED_FROM], feature.data_version) == (own.id, own.data_version)
    assert feature.provenance.run_id == "run-of-branch-new-engine"
    assert [item.version for item in model.provenance.inputs] == [feature.id]
    assert all(file.key.startswith("production/") for version in done.values() for file in version.files)
    assert len({version.transaction for version in done.values()}) == 1


def test_the_log_says_by_whose_leave(reviewed: World) -> None:
    found = look(reviewed)
    (first, *_) = go(reviewed, found)
    (log,) = reviewed.catalog.promotions()
    assert (log.transaction, log.branch, log.issuer, log.digest) == (
        first.transaction,
        "branch/new-engine",
        "ann",
        found.digest,
    )


def test_nothing_is_left_after_a_promotion(reviewed: World) -> None:
    done = go(reviewed, look(reviewed))
    assert look(reviewed).versions == ()
    assert {version.id for version in promoted(reviewed.catalog, NEW_ENGINE)} == {version.id for version in done}


def test_later_versions_of_the_branch_can_be_promoted_after_it_was_synchronised(reviewed: World) -> None:
    go(reviewed, look(reviewed))
    reviewed.catalog.sync_namespace(NEW_ENGINE)
    reviewed.compute(NEW_ENGINE, "t/model", "again")
    found = look(reviewed)
    assert [version.asset for version in found.versions] == ["t/model"]
    go(reviewed, found, "t2")
    assert reviewed.value(PRODUCTION, "t/model") == "again"


def test_a_rollback_undoes_it(reviewed: World) -> None:
    (first, *_) = go(reviewed, look(reviewed))
    steps = plan_rollback(reviewed.catalog, PRODUCTION, first.transaction - 1)
    assert {step.asset for step in steps} == {"t/feature", "t/model"}


def test_inputs_that_moved_are_named(reviewed: World) -> None:
    reviewed.compute(PRODUCTION, "t/fact", "later", "2")
    with pytest.raises(
        PromotionError, match=r"t/feature was computed from t/fact\[2\] as nobody shows it any more"
    ) as e:
        go(reviewed, look(reviewed))
    assert e.value.places == ("t/feature",)
    assert reviewed.value(PRODUCTION, "t/feature") == {"of": "t/feature"}


def test_an_asset_that_production_computed_meanwhile_is_named(reviewed: World) -> None:
    reviewed.compute(PRODUCTION, "t/model", "later")
    with pytest.raises(PromotionError, match="production shows another t/model since the branch was opened"):
        go(reviewed, look(reviewed))


def test_what_moves_after_the_look_is_seen_by_the_transaction(reviewed: World) -> None:
    found = look(reviewed)
    reviewed.compute(PRODUCTION, "t/fact", "later", "1")
    with pytest.raises(ConflictError, match=r"t/fact\[1\] moved in the meantime"):
        go(reviewed, found)
    assert reviewed.value(PRODUCTION, "t/model") == {"of": "t/model"}
    assert reviewed.catalog.promotions() == []


@pytest.mark.parametrize("merged", [{"code": "c3"}, {"environment": "e2"}])
def test_values_of_other_code_than_the_merged_one_stay_out(reviewed: World, merged: dict[str, str]) -> None:
    reviewed.edit("t/feature", **merged)
    with pytest.raises(PromotionError, match=r"t/feature@.* was not computed by the code and in the environment"):
        go(reviewed, look(reviewed))


def test_a_value_of_an_earlier_feature_than_the_promoted_one_stays_out(reviewed: World) -> None:
    reviewed.compute(NEW_ENGINE, "t/feature", "again")
    with pytest.raises(PromotionError, match="t/model was computed from t/feature as nobody shows it any more"):
        go(reviewed, look(reviewed))


def test_of_two_branches_one_wins_and_the_other_is_told_what_moved(reviewed: World) -> None:
    other = Namespace("branch", "other")
    reviewed.open(other)
    reviewed.compute(other, "t/model", "of the other")
    mine, theirs = look(reviewed), look(reviewed, other)
    go(reviewed, mine)
    with pytest.raises(ConflictError, match="t/model moved in the meantime"):
        go(reviewed, theirs, "t2")
    assert reviewed.value(PRODUCTION, "t/model") == {"of": "the branch"}
    assert [log.branch for log in reviewed.catalog.promotions()] == ["branch/new-engine"]


def test_leave_that_is_over_before_the_transaction_ends_promotes_nothing(reviewed: World) -> None:
    found = look(reviewed)
    token = issue(reviewed.settings, NEW_ENGINE, found.digest, "ann")
    leave = accept(reviewed.settings, token, NEW_ENGINE, found.digest)
    over = issue(reviewed.settings, NEW_ENGINE, found.digest, "ann", lasts=-timedelta(seconds=1))
    with pytest.raises(PromotionError, match="is over"):
        promote(
            reviewed.catalog,
            reviewed.store,
            found,
            leave,
            partial(accept, reviewed.settings, over, NEW_ENGINE, found.digest),
        )
    assert reviewed.value(PRODUCTION, "t/model") == {"of": "t/model"}
    assert reviewed.catalog.promotions() == []


def test_of_two_branches_promoted_at_once_one_wins(reviewed: World) -> None:
    other = Namespace("branch", "other")
    reviewed.open(other)
    reviewed.compute(other, "t/model", {"of": "the other"})
    both = [(look(reviewed), "t1"), (look(reviewed, other), "t2")]
    meet = Barrier(2)

    def attempt(found: Candidates, token: str) -> str:
        meet.wait(timeout=60)
        try:
            go(reviewed, found, token)
        except ConflictError as error:
            return str(error)
        return "won"

    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(attempt, *zip(*both, strict=True)))
    assert told.count("won") == 1
    assert "t/model moved in the meantime" in next(text for text in told if text != "won")
    winner = both[told.index("won")][0].branch
    assert reviewed.value(PRODUCTION, "t/model") == reviewed.value(winner, "t/model")
    assert [log.branch for log in reviewed.catalog.promotions()] == [str(winner)]


def test_a_digest_is_of_what_is_promoted(reviewed: World) -> None:
    before = look(reviewed).digest
    assert look(reviewed).digest == before
    reviewed.compute(NEW_ENGINE, "t/model", "again")
    assert look(reviewed).digest != before


def test_a_version_whose_blocking_check_did_not_pass_stays_out(reviewed: World) -> None:
    reviewed.edit("t/model", blocking=["gate"])
    with pytest.raises(PromotionError, match=r"t/model@.* has not passed gate in the run that computed it"):
        go(reviewed, look(reviewed))
    passed = frozenset({("run-of-branch-new-engine", "t/model", "gate")})
    found = candidates(reviewed.catalog, NEW_ENGINE, reviewed.assets, passed)
    assert found.obstacles == ()


def test_a_promotion_that_was_killed_before_its_transaction_is_completed_by_the_next(
    reviewed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(reviewed.catalog, "promote", killed)
        with pytest.raises(KeyboardInterrupt):
            go(reviewed, look(reviewed))
    assert reviewed.value(PRODUCTION, "t/model") == {"of": "t/model"}
    go(reviewed, look(reviewed))
    assert reviewed.value(PRODUCTION, "t/model") == {"of": "the branch"}


def test_what_goes_on_from_the_version_before_it_is_promoted(world: World) -> None:
    """An incremental model reads itself; run twice on a branch, it was made from what nobody shows any more."""
    world.open()
    world.edit("t/feature", code="c2", reads=["t/fact", "t/feature"])
    for value in ("once", "twice"):
        world.compute(NEW_ENGINE, "t/feature", value)
    assert pending(world.catalog, NEW_ENGINE, world.assets, ["t/feature"]) == {}
    (done,) = go(world, look(world))
    assert world.value(PRODUCTION, done.asset) == "twice"


def test_what_goes_on_from_what_production_no_longer_shows_is_refused(world: World) -> None:
    world.open()
    world.edit("t/feature", code="c2", reads=["t/fact", "t/feature"])
    world.compute(NEW_ENGINE, "t/feature", "once")
    world.compute(PRODUCTION, "t/feature", "meanwhile")
    assert look(world).reasons == ["production shows another t/feature since the branch was opened or synchronised"]


@pytest.fixture
def overtaken(reviewed: World) -> World:
    """The same, after production computed the feature again with the code that it had."""
    reviewed.edit("t/feature", code="c1")
    reviewed.compute(PRODUCTION, "t/feature", {"of": "production, later"})
    reviewed.edit("t/feature", code="c2")
    return reviewed


def outdated(world: World) -> set[str]:
    return {version.asset for version in look(world).outdated}


def test_what_production_went_on_from_is_left_behind_and_the_rest_promoted(overtaken: World) -> None:
    overtaken.edit("t/other", code="c2")
    overtaken.compute(NEW_ENGINE, "t/other", {"of": "the branch"})
    whole = look(overtaken)
    assert outdated(overtaken) == {"t/feature", "t/model"}
    with pytest.raises(PromotionError, match="or let production do so: headrace branch promote --rebuild"):
        whole.require()
    go(overtaken, whole.without_outdated())
    assert overtaken.value(PRODUCTION, "t/other") == {"of": "the branch"}
    assert overtaken.value(PRODUCTION, "t/feature") == {"of": "production, later"}


def test_what_was_computed_again_in_production_is_settled(overtaken: World) -> None:
    assert outdated(overtaken) == {"t/feature", "t/model"}
    overtaken.compute(PRODUCTION, "t/feature", {"of": "the merged code"})
    assert outdated(overtaken) == {"t/model"}
    overtaken.compute(PRODUCTION, "t/model", {"of": "the merged code"})
    assert look(overtaken).versions == ()


def test_a_check_that_did_not_pass_is_in_the_way_of_a_rebuild_too(overtaken: World) -> None:
    overtaken.compute(NEW_ENGINE, "t/other", {"of": "the branch"})
    overtaken.edit("t/other", blocking=["gate"])
    with pytest.raises(PromotionError, match="has not passed gate"):
        look(overtaken).without_outdated().require()
