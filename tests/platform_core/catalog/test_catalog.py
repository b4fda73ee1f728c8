"""The catalog shows what was committed, to the namespaces that may see it, and never half of it."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from platform_core.catalog import visibility
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.engine import open_engine
from platform_core.catalog.opening import open_catalog
from platform_core.catalog.tables import namespaces
from platform_core.catalog.values import Shown, StoredFile, Version
from platform_core.errors import NotFoundError
from platform_core.namespaces import PRODUCTION, Namespace
from tests.platform_core.drafts import BRANCH, TESS, draft


def write(catalog: Catalog, namespace: Namespace, asset: str, *partitions: str) -> list[Version]:
    return catalog.commit(namespace, [draft(asset, key, namespace) for key in partitions or ("",)])


def shown(catalog: Catalog, namespace: Namespace, asset: str) -> dict[str, str]:
    return {key: item.version.id for key, item in catalog.resolve(namespace, asset).items()}


def ids(found: list[Shown]) -> list[str]:
    return [item.version.id for item in found]


def test_a_new_catalog_shows_nothing(catalog: Catalog) -> None:
    assert catalog.resolve(TESS, "a") == {}
    assert catalog.current(TESS) == catalog.history(TESS, "a") == []
    assert catalog.transactions(TESS) == []
    assert catalog.assets() == []


def test_what_is_committed_is_shown_by_the_namespace_that_wrote_it(catalog: Catalog) -> None:
    (version,) = write(catalog, TESS, "a")
    assert catalog.resolve(TESS, "a") == {"": Shown(version, "user/tess")}


def test_the_newest_version_is_the_current_one(catalog: Catalog) -> None:
    write(catalog, TESS, "a")
    (newest,) = write(catalog, TESS, "a")
    assert shown(catalog, TESS, "a") == {"": newest.id}


def test_partitions_are_shown_side_by_side(catalog: Catalog) -> None:
    write(catalog, TESS, "a", "1", "2")
    (again,) = write(catalog, TESS, "a", "2")
    assert set(shown(catalog, TESS, "a")) == {"1", "2"}
    assert shown(catalog, TESS, "a")["2"] == again.id


def test_only_the_partitions_asked_for_are_given_in_the_order_asked_for(catalog: Catalog) -> None:
    write(catalog, TESS, "a", "1", "2", "3")
    assert list(catalog.resolve(TESS, "a", ["3", "nowhere", "1"])) == ["3", "1"]
    assert catalog.resolve(TESS, "a", []) == {}


def test_partitions_come_in_their_order_whatever_order_they_were_written_in(catalog: Catalog) -> None:
    for partition in ("2", "3", "1"):
        write(catalog, TESS, "a", partition)
    assert list(catalog.resolve(TESS, "a")) == ["1", "2", "3"]


def test_what_is_required_is_given_in_the_order_asked_for(catalog: Catalog) -> None:
    one, two = write(catalog, TESS, "a", "1", "2")
    assert catalog.require(TESS, "a", ["2", "1"]) == [Shown(two, "user/tess"), Shown(one, "user/tess")]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ([""], "b has no version in user/tess yet; run it first: headrace run b"),
        (["1"], "b has no version of 1 in user/tess yet; run it first: headrace run b --partition 1"),
        (["1", "2"], "b has no version of 1, 2 in user/tess yet; run it first: headrace run b --partition 1..2"),
    ],
)
def test_what_is_required_and_not_there_is_told_with_the_command_that_makes_it(
    catalog: Catalog, wanted: list[str], told: str
) -> None:
    with pytest.raises(NotFoundError) as error:
        catalog.require(TESS, "b", wanted)
    assert str(error.value) == told


def test_an_asset_is_not_taken_for_another_of_a_similar_name(catalog: Catalog) -> None:
    write(catalog, TESS, "a")
    assert catalog.resolve(TESS, "A") == catalog.resolve(TESS, "a/b") == catalog.resolve(TESS, "%") == {}


def test_one_commit_is_one_transaction_of_all_its_versions(catalog: Catalog) -> None:
    first = write(catalog, TESS, "a", "1", "2")
    (second,) = write(catalog, TESS, "b")
    assert [version.transaction for version in first] == [1, 1]
    assert second.transaction == 2


def test_a_transaction_says_who_did_what(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "tess")
    catalog.commit(TESS, [draft("a")], kind="dbt", message="a trial")
    (done,) = catalog.transactions(TESS)
    assert (done.number, done.namespace, done.kind, done.author, done.message) == (
        1,
        "user/tess",
        "dbt",
        "tess",
        "a trial",
    )


def test_nothing_to_commit_is_no_transaction(catalog: Catalog) -> None:
    assert catalog.commit(TESS, []) == []
    assert catalog.transactions(TESS) == []


def test_transactions_of_other_namespaces_are_not_listed(catalog: Catalog) -> None:
    for namespace in (PRODUCTION, TESS, PRODUCTION):
        write(catalog, namespace, "a")
    assert [done.number for done in catalog.transactions(PRODUCTION)] == [1, 3]


def test_a_commit_that_fails_half_way_leaves_nothing(catalog: Catalog) -> None:
    (before,) = write(catalog, TESS, "a")
    with pytest.raises(IntegrityError):
        catalog.commit(TESS, [draft("a"), draft("b", id="twice"), draft("c", id="twice")])
    assert shown(catalog, TESS, "a") == {"": before.id}
    assert catalog.assets() == ["a"]
    assert len(catalog.transactions(TESS)) == 1


def test_a_commit_that_fails_does_not_even_create_its_namespace(catalog: Catalog) -> None:
    with pytest.raises(IntegrityError):
        catalog.commit(BRANCH, [draft("a", id="twice"), draft("b", id="twice")])
    with catalog._engine.connect() as connection:
        assert list(connection.scalars(select(namespaces.c.name))) == ["production"]


def test_a_version_cannot_be_committed_again(catalog: Catalog) -> None:
    (version,) = write(catalog, TESS, "a")
    with pytest.raises(IntegrityError):
        catalog.commit(BRANCH, [version])
    assert catalog.resolve(BRANCH, "a") == {}


def test_work_goes_on_after_a_failed_commit(catalog: Catalog) -> None:
    with pytest.raises(IntegrityError):
        catalog.commit(TESS, [draft("a", id="twice"), draft("b", id="twice")])
    (version,) = write(catalog, TESS, "a")
    assert shown(catalog, TESS, "a") == {"": version.id}


def test_where_a_namespace_has_nothing_it_shows_production(catalog: Catalog) -> None:
    (version,) = write(catalog, PRODUCTION, "a")
    assert catalog.resolve(TESS, "a") == {"": Shown(version, "production")}


def test_production_is_read_through_partition_by_partition(catalog: Catalog) -> None:
    theirs = write(catalog, PRODUCTION, "a", "1", "2")
    (ours,) = write(catalog, TESS, "a", "2")
    found = catalog.resolve(TESS, "a")
    assert {key: item.shown_by for key, item in found.items()} == {"1": "production", "2": "user/tess"}
    assert shown(catalog, TESS, "a") == {"1": theirs[0].id, "2": ours.id}


def test_ones_own_version_wins_however_new_productions_is(catalog: Catalog) -> None:
    (ours,) = write(catalog, TESS, "a")
    write(catalog, PRODUCTION, "a")
    assert shown(catalog, TESS, "a") == {"": ours.id}


def test_production_sees_nothing_of_other_namespaces(catalog: Catalog) -> None:
    write(catalog, TESS, "a")
    write(catalog, BRANCH, "a")
    assert catalog.resolve(PRODUCTION, "a") == {}
    assert catalog.current(PRODUCTION) == catalog.history(PRODUCTION, "a") == []


def test_namespaces_see_nothing_of_each_other(catalog: Catalog) -> None:
    write(catalog, TESS, "a")
    assert catalog.resolve(BRANCH, "a") == {}
    assert catalog.history(BRANCH, "a") == []


def test_a_pinned_namespace_shows_production_as_of_its_pin(catalog: Catalog) -> None:
    (then,) = write(catalog, PRODUCTION, "a", "1")
    catalog.open_namespace(BRANCH)
    write(catalog, PRODUCTION, "a", "1", "2")
    write(catalog, PRODUCTION, "b")
    assert shown(catalog, BRANCH, "a") == {"1": then.id}
    assert shown(catalog, BRANCH, "b") == {}
    assert ids(catalog.current(BRANCH)) == [then.id]


def test_a_pin_does_not_hold_back_what_the_namespace_writes_itself(catalog: Catalog) -> None:
    write(catalog, PRODUCTION, "a")
    catalog.open_namespace(BRANCH)
    (ours,) = write(catalog, BRANCH, "a")
    assert shown(catalog, BRANCH, "a") == {"": ours.id}


def test_the_pin_of_one_namespace_says_nothing_to_another(catalog: Catalog) -> None:
    write(catalog, PRODUCTION, "a")
    catalog.open_namespace(BRANCH)
    (now,) = write(catalog, PRODUCTION, "a")
    assert shown(catalog, TESS, "a") == {"": now.id}


def test_everything_current_is_listed_by_asset_and_partition(catalog: Catalog) -> None:
    write(catalog, PRODUCTION, "b", "2", "1")
    write(catalog, TESS, "a")
    listed = [(item.version.asset, item.version.partition, item.shown_by) for item in catalog.current(TESS)]
    assert listed == [("a", "", "user/tess"), ("b", "1", "production"), ("b", "2", "production")]


def test_history_is_newest_first_and_holds_what_the_parent_showed(catalog: Catalog) -> None:
    (first,), (second,), (third,) = (write(catalog, space, "a") for space in (PRODUCTION, TESS, PRODUCTION))
    assert ids(catalog.history(TESS, "a")) == [third.id, second.id, first.id]
    assert ids(catalog.history(PRODUCTION, "a")) == [third.id, first.id]


def test_history_can_be_limited_to_a_partition_and_a_number(catalog: Catalog) -> None:
    versions = [write(catalog, TESS, "a", "1", "2") for _ in range(3)]
    assert ids(catalog.history(TESS, "a", "1")) == [pair[0].id for pair in reversed(versions)]
    assert ids(catalog.history(TESS, "a", "1", limit=1)) == [versions[-1][0].id]
    assert len(catalog.history(TESS, "a", limit=4)) == 4


IDS = ["20260101-000000-aaaa11112222", "20260101-000000-aaaa33334444", "20260102-000000-bbbb11112222"]


@pytest.fixture
def three(catalog: Catalog) -> Catalog:
    catalog.commit(TESS, [draft("a", id=IDS[0]), draft("b", id=IDS[1]), draft("a", "p", id=IDS[2])])
    return catalog


@pytest.mark.parametrize(
    ("text", "found"),
    [(IDS[0], 0), ("20260102", 2), ("bbbb11112222", 2), ("bbbb", 2), ("aaaa1", 0), ("20260101-000000-aaaa3", 1)],
)
def test_a_version_is_found_by_its_id_its_beginning_or_its_last_part(three: Catalog, text: str, found: int) -> None:
    assert three.version(text).id == IDS[found]


@pytest.mark.parametrize("text", ["20260101", "aaaa", "2026"])
def test_the_beginning_of_several_versions_is_refused(three: Catalog, text: str) -> None:
    with pytest.raises(NotFoundError, match=f"'{text}' is the beginning of several versions; give more of the id"):
        three.version(text)


def test_the_asset_can_make_a_beginning_unambiguous(three: Catalog) -> None:
    assert three.version("aaaa", "b").id == IDS[1]


@pytest.mark.parametrize("text", ["cccc", "%", "_", "0000-a", "11112222"])
def test_a_version_that_is_not_there_is_a_sentence(three: Catalog, text: str) -> None:
    with pytest.raises(NotFoundError, match=r"There is no version '.*' of a; `headrace versions ASSET` lists"):
        three.version(text, "a")


def test_versions_are_given_by_their_ids(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visibility, "MOST_NAMES", 2)
    written = write(catalog, TESS, "a", "1", "2", "3")
    found = catalog.versions([*(version.id for version in written), "unknown"])
    assert sorted(found, key=lambda version: version.partition) == written
    assert catalog.versions([]) == []


def test_what_transactions_wrote_is_given_by_partition(catalog: Catalog) -> None:
    one, two = write(catalog, TESS, "a", "3", "1"), write(catalog, TESS, "a", "2")
    write(catalog, TESS, "b")
    assert [version.partition for version in catalog.written([1, 2])] == ["1", "2", "3"]
    assert catalog.written([2]) == two
    assert catalog.written([]) == []
    assert len(one) == 2


def test_the_assets_of_all_namespaces_are_listed_once(catalog: Catalog) -> None:
    assert catalog.assets() == []
    for namespace in (PRODUCTION, TESS):
        write(catalog, namespace, "b", "1", "2")
    write(catalog, BRANCH, "a")
    assert catalog.assets() == ["a", "b"]


def test_totals_are_those_of_what_is_shown(catalog: Catalog) -> None:
    assert catalog.totals(TESS) == []
    files = (StoredFile("k/1", 3_000_000_000, "xxh3:0"), StoredFile("k/2", 17, "xxh3:0"))
    for namespace, *keys in ((PRODUCTION, "1", "2", "3"), (TESS, "3"), (TESS, "3")):
        catalog.commit(namespace, [draft("a", key, namespace, files=files, rows=5) for key in keys])
    write(catalog, TESS, "b")
    shown = catalog.current(TESS)
    for total in catalog.totals(TESS):
        own = [s.version for s in shown if (s.version.asset, s.shown_by) == (total.asset, total.shown_by)]
        assert total.partitions == len(own)
        assert (total.rows or 0, total.bytes) == (sum(v.rows or 0 for v in own), sum(v.bytes for v in own))
        assert total.last_written == max(version.created_at for version in own)
    found = [(total.asset, total.shown_by, total.partitions) for total in catalog.totals(TESS)]
    assert found == [("a", "production", 2), ("a", "user/tess", 1), ("b", "user/tess", 1)]


def test_a_catalog_is_opened_once_for_each_url(url: str) -> None:
    assert open_catalog(url) is open_catalog(url)


def test_another_process_would_see_what_was_committed(url: str) -> None:
    (version,) = write(Catalog(open_engine(url)), TESS, "a")
    assert shown(Catalog(open_engine(url)), TESS, "a") == {"": version.id}
