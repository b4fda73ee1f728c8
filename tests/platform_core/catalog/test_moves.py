"""Promotion and rollback move refs in one transaction, or not at all; the past can be asked for, and be given up."""

from datetime import UTC, datetime, timedelta

import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import Expectation, Move, Ref, Version
from platform_core.errors import ConflictError, NamespaceError, NotFoundError
from platform_core.namespaces import PRODUCTION, Namespace
from tests.platform_core.drafts import BRANCH, TESS, draft


def write(catalog: Catalog, namespace: Namespace, *assets: str) -> list[Version]:
    return catalog.commit(namespace, [draft(asset, namespace=namespace) for asset in assets])


def shown(catalog: Catalog, namespace: Namespace) -> dict[str, str]:
    return {item.version.asset: item.version.id for item in catalog.current(namespace)}


def expect(version: Version, namespace: Namespace = PRODUCTION) -> Expectation:
    return Expectation(namespace, version.asset, version.partition, version.id)


def move_to(version: Version) -> Move:
    return Move(version.asset, version.partition, version.id)


def test_a_version_of_a_branch_can_be_made_productions(catalog: Catalog) -> None:
    (old,) = write(catalog, PRODUCTION, "a")
    (new,) = write(catalog, BRANCH, "a")
    number = catalog.move_refs(PRODUCTION, [move_to(new)], kind="promote", message="#7", expects=[expect(old)])
    assert shown(catalog, PRODUCTION) == {"a": new.id}
    done = catalog.transaction(number)
    assert (done.number, done.namespace, done.kind, done.message) == (3, "production", "promote", "#7")


def test_an_old_version_can_be_made_current_again(catalog: Catalog) -> None:
    (old,), (new,) = write(catalog, TESS, "a"), write(catalog, TESS, "a")
    catalog.move_refs(TESS, [move_to(old)], kind="rollback")
    assert shown(catalog, TESS) == {"a": old.id}
    assert [item.version.id for item in catalog.history(TESS, "a")] == [old.id, new.id]


def test_where_its_own_was_withdrawn_a_namespace_shows_its_parents(catalog: Catalog) -> None:
    (theirs,), (ours,) = write(catalog, PRODUCTION, "a"), write(catalog, TESS, "a")
    assert shown(catalog, TESS) == {"a": ours.id}
    catalog.move_refs(TESS, [Move("a", "", None)], kind="rollback")
    assert shown(catalog, TESS) == {"a": theirs.id}


def test_what_production_withdrew_nobody_shows_who_has_none(catalog: Catalog) -> None:
    write(catalog, PRODUCTION, "a")
    catalog.move_refs(PRODUCTION, [Move("a", "", None)], kind="rollback")
    assert shown(catalog, PRODUCTION) == shown(catalog, TESS) == {}


def test_every_place_that_moved_is_named_and_nothing_is_changed(catalog: Catalog) -> None:
    a, b, c = write(catalog, PRODUCTION, "a", "b", "c")
    (moved,) = write(catalog, PRODUCTION, "a")
    catalog.move_refs(PRODUCTION, [Move("b", "", None)], kind="rollback")
    (new,) = write(catalog, BRANCH, "c")
    with pytest.raises(ConflictError) as error:
        catalog.move_refs(PRODUCTION, [move_to(new)], kind="promote", expects=[expect(a), expect(b), expect(c)])
    assert error.value.places == ("a", "b")
    assert str(error.value) == (
        "Nothing was changed, because a, b moved in the meantime:"
        f" production shows {moved.id} of a, expected {a.id}; production shows no version of b, expected {b.id}."
    )
    assert shown(catalog, PRODUCTION) == {"a": moved.id, "c": c.id}
    assert len(catalog.transactions(PRODUCTION)) == 3


def test_that_nothing_is_there_can_be_expected_too(catalog: Catalog) -> None:
    (new,) = write(catalog, BRANCH, "a")
    nothing = Expectation(PRODUCTION, "a", "", None)
    catalog.move_refs(PRODUCTION, [move_to(new)], kind="promote", expects=[nothing])
    with pytest.raises(ConflictError, match=f"production shows {new.id} of a, expected no version"):
        catalog.move_refs(PRODUCTION, [move_to(new)], kind="promote", expects=[nothing])


def test_a_partition_is_expected_by_itself(catalog: Catalog) -> None:
    one, two = catalog.commit(PRODUCTION, [draft("a", "1", PRODUCTION), draft("a", "2", PRODUCTION)])
    catalog.commit(PRODUCTION, [draft("a", "1", PRODUCTION)])
    catalog.move_refs(PRODUCTION, [], kind="promote", expects=[expect(two)])
    with pytest.raises(ConflictError) as error:
        catalog.move_refs(PRODUCTION, [], kind="promote", expects=[expect(one), expect(two)])
    assert error.value.places == ("a[1]",)


def test_a_commit_can_have_expectations(catalog: Catalog) -> None:
    (old,) = write(catalog, PRODUCTION, "a")
    write(catalog, PRODUCTION, "a")
    with pytest.raises(ConflictError):
        catalog.commit(PRODUCTION, [draft("b", namespace=PRODUCTION)], expects=[expect(old)])
    assert catalog.resolve(PRODUCTION, "b") == {}


@pytest.mark.parametrize("place", [("a", "1"), ("b", "")])
def test_a_version_is_not_shown_at_another_place(catalog: Catalog, place: tuple[str, str]) -> None:
    (version,) = write(catalog, TESS, "a")
    with pytest.raises(NotFoundError, match=f"no version {version.id} of"):
        catalog.move_refs(TESS, [Move(*place, version.id)], kind="rollback")
    assert len(catalog.transactions(TESS)) == 1


def test_a_version_that_does_not_exist_cannot_be_shown(catalog: Catalog) -> None:
    with pytest.raises(NotFoundError, match="There is no version x of a; nothing was changed"):
        catalog.move_refs(TESS, [Move("a", "", "x")], kind="rollback")


def test_a_commit_says_what_it_replaces_of_the_namespaces_own(catalog: Catalog) -> None:
    write(catalog, PRODUCTION, "a")
    (first,), (second,) = write(catalog, TESS, "a"), write(catalog, TESS, "a")
    assert (first.replaces, second.replaces) == (None, first.id)
    assert catalog.version(second.id) == second


def test_what_was_shown_can_be_asked_for_by_transaction_and_by_time(catalog: Catalog) -> None:
    (first,), (second,) = write(catalog, TESS, "a"), write(catalog, TESS, "a")
    (then,) = (done.committed_at for done in catalog.transactions(TESS) if done.number == first.transaction)
    for moment in (1, then, then.replace(tzinfo=None)):
        assert [item.version for item in catalog.shown_at(TESS, moment)] == [first]
    assert [item.version for item in catalog.shown_at(TESS, datetime.now(UTC))] == [second]
    assert catalog.shown_at(TESS, 0) == catalog.shown_at(TESS, then - timedelta(seconds=1)) == []


def test_what_a_branch_showed_counts_from_the_pin_it_had_then(catalog: Catalog) -> None:
    (old,) = write(catalog, PRODUCTION, "a")
    opened = catalog.open_namespace(BRANCH)
    (new,) = write(catalog, PRODUCTION, "a")
    synced = catalog.sync_namespace(BRANCH)
    assert opened.pin is not None
    assert synced.pin is not None
    assert [item.version.id for item in catalog.shown_at(BRANCH, opened.pin)] == [old.id]
    assert [item.version.id for item in catalog.shown_at(BRANCH, synced.pin - 1)] == [old.id]
    assert [item.version.id for item in catalog.shown_at(BRANCH, synced.pin)] == [new.id]


def test_a_transaction_that_is_not_there_is_a_sentence(catalog: Catalog) -> None:
    with pytest.raises(NotFoundError, match="There is no transaction 7 in this catalog"):
        catalog.transaction(7)


def test_refs_are_given_in_the_order_of_transactions(catalog: Catalog) -> None:
    (version,) = write(catalog, TESS, "a")
    catalog.move_refs(TESS, [Move("a", "", None)], kind="rollback")
    first, second = Ref("user/tess", "a", "", 1, version.id), Ref("user/tess", "a", "", 2, None)
    assert catalog.refs_of(TESS) == [first, second]
    assert catalog.refs_of(TESS, [2]) == [second]


def test_what_was_shown_since_a_transaction_is_given_in_order(catalog: Catalog) -> None:
    first, second, third = (write(catalog, TESS, "a")[0] for _ in range(3))
    write(catalog, TESS, "b")
    write(catalog, BRANCH, "a")
    catalog.move_refs(TESS, [move_to(first)], kind="rollback")
    assert catalog.shown_since(TESS, "a", first.transaction) == [second, third, first]
    assert catalog.shown_since(TESS, "a", third.transaction) == [first]


def test_all_versions_are_given_whoever_wrote_them(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform_core.catalog.reading.PAGE", 2)
    written = [*write(catalog, PRODUCTION, "a", "b"), *write(catalog, TESS, "a", "b", "c")]
    assert sorted(v.id for v in written) == [v.id for v in catalog.all_versions()]


def test_what_is_shown_or_pinned_is_reachable_and_nothing_else(catalog: Catalog) -> None:
    superseded, pinned, current = (write(catalog, PRODUCTION, "a")[0] for _ in range(3))
    assert catalog.unreachable_versions() == {superseded.id, pinned.id}
    catalog.move_refs(PRODUCTION, [move_to(pinned)], kind="rollback")
    catalog.open_namespace(BRANCH)
    catalog.move_refs(PRODUCTION, [move_to(current)], kind="rollback")
    assert catalog.unreachable_versions() == {superseded.id}
    catalog.close_namespace(BRANCH)
    assert catalog.unreachable_versions() == {superseded.id, pinned.id}
    assert catalog.unreachable_versions(since=1) == set()


def test_a_pin_protects_what_it_shows_as_long_as_it_lasts(catalog: Catalog) -> None:
    """Each of two pins its own state of production, until it is moved on; the past of a pin is not protected."""
    pinned = {}
    for namespace in (BRANCH, TESS):
        pinned[namespace] = write(catalog, PRODUCTION, "a")[0].id
        catalog.open_namespace(namespace)
    write(catalog, PRODUCTION, "a")
    assert catalog.unreachable_versions() == set()
    assert catalog.forget(pinned.values()) == []
    catalog.sync_namespace(TESS)
    assert catalog.forget(pinned.values()) == [pinned[TESS]]
    assert shown(catalog, BRANCH) == {"a": pinned[BRANCH]}
    catalog.sync_namespace(BRANCH)
    assert catalog.forget(pinned.values()) == sorted(pinned.values())


def test_what_a_closed_namespace_had_is_reachable_only_through_its_past(catalog: Catalog) -> None:
    (version,) = write(catalog, BRANCH, "a")
    closed = catalog.close_namespace(BRANCH)
    assert catalog.unreachable_versions() == catalog.unreachable_versions(since=closed.since) == {version.id}
    assert catalog.unreachable_versions(since=closed.since - 1) == set()


def test_what_was_shown_since_a_moment_is_not_given_up(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform_core.catalog.writing.PORTION", 2)
    old = [write(catalog, TESS, "a")[0].id for _ in range(6)][:-1]
    assert catalog.forget(old, since=4) == sorted(old[:3])
    assert catalog.forget(old) == sorted(old)


def test_what_nobody_reaches_can_be_given_up(catalog: Catalog) -> None:
    (old,), (new,) = write(catalog, TESS, "a"), write(catalog, TESS, "a")
    assert catalog.forget([old.id, new.id, "unknown"]) == [old.id]
    assert catalog.forget([old.id]) == [old.id]
    assert catalog.version(old.id).forgotten_at is not None
    assert catalog.version(new.id) == new
    with pytest.raises(NotFoundError, match=f"a@{old.id} were given up by `headrace gc` on .* Compute it again"):
        catalog.move_refs(TESS, [move_to(old)], kind="rollback")
    assert shown(catalog, TESS) == {"a": new.id}


def test_a_closed_namespace_cannot_be_moved(catalog: Catalog) -> None:
    (version,) = write(catalog, BRANCH, "a")
    catalog.close_namespace(BRANCH)
    with pytest.raises(NamespaceError, match="branch/new-engine was closed"):
        catalog.move_refs(BRANCH, [move_to(version)], kind="rollback")
