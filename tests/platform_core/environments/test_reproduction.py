"""What it takes to compute a version again."""

import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import InputVersion, Provenance, Version
from platform_core.environments.environment import environment_of
from platform_core.environments.reproduction import environment_then, origin_of, show_inputs
from platform_core.environments.throwaways import throwaway
from platform_core.errors import FrozenError, NotFoundError
from tests.platform_core.drafts import TESS, draft
from tests.platform_core.environments.support.toys import Repository

COMMIT = "0123456789abcdef"


def computed(*inputs: Version, commit: str = COMMIT, environment: str = "") -> Version:
    read = tuple(InputVersion(item.asset, item.asset, item.partition, item.id, item.namespace) for item in inputs)
    return draft("t/c", provenance=Provenance(git_commit=commit, environment=environment, inputs=read))


def test_a_version_of_a_commit_can_be_had_back() -> None:
    origin = origin_of(computed(draft("t/a")))
    assert (origin.location, origin.commit, origin.doubts) == ("t", COMMIT, ())


def test_edits_that_were_not_committed_leave_a_doubt() -> None:
    origin = origin_of(computed(draft("t/a"), commit=f"{COMMIT}+"))
    assert origin.commit == COMMIT
    assert "edits that were not committed" in origin.doubts[0]


def test_what_was_read_from_elsewhere_leaves_a_doubt() -> None:
    assert "what it read from elsewhere is read as it is now" in origin_of(computed()).doubts[0]


def test_without_a_commit_nobody_knows_the_code() -> None:
    with pytest.raises(
        FrozenError, match=r"t/c@.* cannot be computed again: it was written outside of a git repository"
    ):
        origin_of(computed(commit=""))


def test_the_extras_of_then_are_found_by_their_hash(repository: Repository) -> None:
    repository.add("t", extras='train = ["toy"]\nplots = ["kit"]')
    for extras in ((), ("train",), ("plots", "train")):
        then = environment_of("t", extras)
        assert environment_then(computed(environment=then.hash), "t", repository.folder) == (then, "")


def test_the_hash_of_a_lock_alone_is_what_earlier_releases_noted(repository: Repository) -> None:
    repository.add("t")
    plain = environment_of("t")
    assert environment_then(computed(environment=plain.lock[:12]), "t", repository.folder) == (plain, "")


def test_an_environment_of_elsewhere_leaves_a_doubt(repository: Repository) -> None:
    repository.add("t")
    found, doubt = environment_then(computed(environment="0123456789ab"), "t", repository.folder)
    assert found == environment_of("t")
    assert "0123456789ab, which the lock file of its commit does not give here" in doubt


def test_the_inputs_are_shown_as_they_were(catalog: Catalog) -> None:
    old, new = draft("t/a"), draft("t/a")
    catalog.commit(TESS, [old])
    catalog.commit(TESS, [new])
    with throwaway(catalog, TESS) as own:
        show_inputs(catalog, own.namespace, computed(old))
        assert catalog.resolve(own.namespace, "t/a")[""].version.id == old.id
    assert catalog.resolve(TESS, "t/a")[""].version.id == new.id


def test_an_input_that_was_given_up_is_told_before_anything_moves(catalog: Catalog) -> None:
    old, kept = draft("t/a"), draft("t/b")
    catalog.commit(TESS, [old, kept])
    catalog.commit(TESS, [draft("t/a")])
    catalog.forget([old.id])
    with throwaway(catalog, TESS) as own:
        with pytest.raises(NotFoundError, match="were given up by `headrace gc`"):
            show_inputs(catalog, own.namespace, computed(kept, old))
        assert catalog.resolve(own.namespace, "t/b") == {}
