"""Names and tags of versions: namespaced as refs are, with who, when and why, and never lost to the clean-up."""

import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.names import named_version
from platform_core.catalog.values import AliasMove, Version
from platform_core.errors import ConflictError, NotFoundError
from platform_core.namespaces import PRODUCTION, Namespace
from tests.platform_core.drafts import BRANCH, TESS, draft


def model(catalog: Catalog, namespace: Namespace = TESS, partition: str = "") -> Version:
    (version,) = catalog.commit(namespace, [draft("m", partition, namespace)])
    return version


def call(catalog: Catalog, name: str, version: Version | None, namespace: Namespace = TESS, why: str = "") -> int:
    return catalog.move_aliases(namespace, [AliasMove("m", name, version.id if version else None)], why)


def meant(catalog: Catalog, namespace: Namespace = TESS) -> dict[str, str | None]:
    return {alias.name: alias.version for alias in catalog.aliases(namespace, "m")}


def test_an_alias_names_a_version_until_it_is_moved_and_who_and_why_is_kept(catalog: Catalog) -> None:
    first, second = model(catalog), model(catalog)
    call(catalog, "champion", first, why="the only one")
    call(catalog, "champion", second, why="better by 0.02")
    assert named_version(catalog, TESS, "m@champion") == second
    history = catalog.alias_history(TESS, "m", "champion")
    assert [(item.version, item.why) for item in history] == [(second.id, "better by 0.02"), (first.id, "the only one")]
    assert history[0].author
    assert history[0].at >= history[1].at


def test_two_aliases_change_places_in_one_transaction(catalog: Catalog) -> None:
    first, second = model(catalog), model(catalog)
    catalog.move_aliases(TESS, [AliasMove("m", "champion", first.id), AliasMove("m", "challenger", second.id)])
    number = catalog.move_aliases(TESS, [AliasMove("m", "champion", second.id), AliasMove("m", "challenger", first.id)])
    assert meant(catalog) == {"champion": second.id, "challenger": first.id}
    assert {alias.transaction for alias in catalog.aliases(TESS, "m")} == {number}


def test_a_namespace_sees_its_parents_aliases_until_it_has_its_own(catalog: Catalog) -> None:
    theirs = model(catalog, PRODUCTION)
    call(catalog, "champion", theirs, PRODUCTION)
    assert meant(catalog) == {"champion": theirs.id}
    ours = model(catalog)
    call(catalog, "champion", ours)
    assert (meant(catalog), meant(catalog, PRODUCTION)) == ({"champion": ours.id}, {"champion": theirs.id})
    call(catalog, "champion", None)
    assert meant(catalog) == {"champion": theirs.id}


def test_a_branch_sees_its_parents_aliases_as_of_its_pin(catalog: Catalog) -> None:
    first, second = model(catalog, PRODUCTION), model(catalog, PRODUCTION)
    call(catalog, "champion", first, PRODUCTION)
    catalog.open_namespace(BRANCH)
    call(catalog, "champion", second, PRODUCTION)
    assert meant(catalog, BRANCH) == {"champion": first.id}
    catalog.sync_namespace(BRANCH)
    assert meant(catalog, BRANCH) == {"champion": second.id}


def test_a_namespace_that_is_closed_and_opened_again_has_none_of_its_old_aliases(catalog: Catalog) -> None:
    catalog.open_namespace(BRANCH)
    call(catalog, "champion", model(catalog, BRANCH), BRANCH)
    catalog.close_namespace(BRANCH)
    catalog.open_namespace(BRANCH)
    assert meant(catalog, BRANCH) == {}


def test_an_alias_moves_only_from_where_it_was_seen(catalog: Catalog) -> None:
    first, second = model(catalog), model(catalog)
    call(catalog, "champion", first)
    seen = {("m", "champion"): second.id}
    with pytest.raises(ConflictError, match="m@champion moved in the meantime"):
        catalog.move_aliases(TESS, [AliasMove("m", "champion", second.id)], expects=seen)
    catalog.move_aliases(TESS, [AliasMove("m", "champion", second.id)], expects={("m", "champion"): first.id})
    assert meant(catalog) == {"champion": second.id}


@pytest.mark.parametrize("name", ["Champion", "", "1st", "a b", "20261121-001530-7f3a9c1b2d04"])
def test_what_could_be_taken_for_a_version_is_no_alias(catalog: Catalog, name: str) -> None:
    with pytest.raises(NotFoundError, match="cannot be an alias"):
        call(catalog, name, model(catalog))


def test_an_alias_is_of_versions_of_its_own_asset_that_were_not_rejected(catalog: Catalog) -> None:
    (stranger,) = catalog.commit(TESS, [draft("other")])
    with pytest.raises(NotFoundError, match=f"no version {stranger.id} of m"):
        call(catalog, "champion", stranger)
    (rejected,) = catalog.reject(TESS, [draft("m")], "it is worse")
    with pytest.raises(ConflictError, match="rejected by its checks"):
        call(catalog, "champion", rejected)
    assert meant(catalog) == {}


def test_an_unknown_alias_is_a_sentence(catalog: Catalog) -> None:
    call(catalog, "champion", model(catalog))
    with pytest.raises(NotFoundError, match=r"has no alias 'champoin' of m, .* Did you mean champion"):
        named_version(catalog, TESS, "m@champoin")


def test_a_version_that_has_a_name_is_not_given_up(catalog: Catalog) -> None:
    first = model(catalog)
    model(catalog)
    assert first.id in catalog.unreachable_versions()
    call(catalog, "champion", first)
    assert first.id not in catalog.unreachable_versions()
    assert catalog.forget([first.id]) == []
    call(catalog, "champion", None)
    assert catalog.forget([first.id]) == [first.id]


def test_a_version_that_a_pinned_branch_names_is_not_given_up(catalog: Catalog) -> None:
    first, second = model(catalog, PRODUCTION), model(catalog, PRODUCTION)
    call(catalog, "champion", first, PRODUCTION)
    catalog.open_namespace(BRANCH)
    call(catalog, "champion", second, PRODUCTION)
    model(catalog, PRODUCTION)
    assert first.id not in catalog.unreachable_versions()
    catalog.sync_namespace(BRANCH)
    assert first.id in catalog.unreachable_versions()


def test_tags_are_said_later_and_the_last_word_counts(catalog: Catalog) -> None:
    first, second = model(catalog), model(catalog)
    catalog.tag(TESS, first, {"quality": "doubtful", "reviewed": "no"})
    catalog.tag(TESS, first, {"quality": "good", "reviewed": None})
    assert catalog.tags(TESS, "m") == {first.id: {"quality": "good"}}
    catalog.tag(TESS, second, {"quality": "bad"})
    assert catalog.tags(PRODUCTION, "m") == {}


def test_productions_tags_are_seen_in_every_namespace_until_one_says_its_own(catalog: Catalog) -> None:
    theirs = model(catalog, PRODUCTION)
    catalog.tag(PRODUCTION, theirs, {"quality": "good", "owner": "them"})
    catalog.tag(TESS, theirs, {"quality": "bad"})
    assert catalog.tags(TESS, "m") == {theirs.id: {"quality": "bad", "owner": "them"}}
    assert catalog.tags(PRODUCTION, "m") == {theirs.id: {"quality": "good", "owner": "them"}}
