"""An environment is a value: everything that could change what is installed changes its hash, and nothing else does."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.environments.environment import Environment, environment_of, this_platform
from platform_core.errors import FrozenError
from tests.platform_core.environments.support.toys import Repository

EXAMPLE = Environment("flights", "ab" * 32, ("train",), "3.11", "linux-x86_64", ("libgomp1",), "0.1.0")
NAMES = st.text("abcxyz-0123", min_size=1, max_size=8)
ENVIRONMENTS = st.builds(
    Environment,
    location=NAMES,
    lock=st.text("0123456789abcdef", min_size=64, max_size=64),
    extras=st.lists(NAMES, max_size=3, unique=True).map(sorted).map(tuple),
    python=st.sampled_from(["3.11", "3.12", "3.11.7"]),
    platform=st.sampled_from(["linux-x86_64", "linux-aarch64", "darwin-aarch64"]),
    system_packages=st.lists(NAMES, max_size=3, unique=True).map(sorted).map(tuple),
    headrace=st.sampled_from(["0.1.0", "0.2.0"]),
)


def test_the_hash_is_the_same_in_every_process_and_release() -> None:
    assert EXAMPLE.hash == "df54f2b4d64c"
    assert str(EXAMPLE) == f"flights+train ({EXAMPLE.hash})"


@given(ENVIRONMENTS, ENVIRONMENTS)
def test_two_environments_share_a_hash_only_when_they_are_equal(one: Environment, other: Environment) -> None:
    assert (one.hash == other.hash) == (one == other)


@given(ENVIRONMENTS, st.data())
def test_every_field_counts(environment: Environment, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([field.name for field in fields(Environment)]))
    value: Any = getattr(environment, name)
    other: Any = (*value, "more") if isinstance(value, tuple) else f"{value}x"
    assert replace(environment, **{name: other}).hash != environment.hash


@given(st.lists(NAMES, max_size=3), st.lists(NAMES, max_size=3))
def test_names_cannot_move_between_lists(extras: list[str], packages: list[str]) -> None:
    swapped = replace(EXAMPLE, extras=tuple(packages), system_packages=tuple(extras))
    assert (swapped.hash == replace(EXAMPLE, extras=tuple(extras), system_packages=tuple(packages)).hash) == (
        extras == packages
    )


def test_order_case_and_repetition_of_extras_do_not_count(repository: Repository) -> None:
    repository.add("toys", extras='Train_Big = ["toy"]\nplots = ["kit"]')
    once = environment_of("toys", ("train-big", "plots"))
    assert once == environment_of("toys", ("plots", "Train_Big", "plots"))
    assert once.extras == ("plots", "train-big")
    assert once.hash != environment_of("toys").hash


def test_a_dependency_group_is_chosen_by_its_name_like_an_extra(repository: Repository) -> None:
    repository.add("toys", groups='dev = ["kit"]\ntrain = ["toy"]')
    assert environment_of("toys", ("train",)).extras == ("train",)


def test_the_group_for_development_is_no_environment(repository: Repository) -> None:
    repository.add("toys", groups='dev = ["kit"]')
    with pytest.raises(FrozenError, match="Location toys has no extra 'dev'; it has: none"):
        environment_of("toys", ("dev",))


def test_a_misspelt_extra_is_refused_with_a_suggestion(repository: Repository) -> None:
    repository.add("toys", extras='train = ["toy"]')
    with pytest.raises(FrozenError, match=r"no extra 'trian'; it has: train\. Did you mean train\?"):
        environment_of("toys", ("trian",))


def test_an_edit_of_the_lock_is_seen_at_once(repository: Repository) -> None:
    folder = repository.add("toys", "toy==1.0")
    first = environment_of("toys")
    repository.add("toys", "toy==2.0")
    assert environment_of("toys").hash != first.hash
    assert (folder / "uv.lock").is_file()


def test_system_packages_and_the_interpreter_count(repository: Repository) -> None:
    folder = repository.add("toys", headrace='system-packages = ["libgomp1"]')
    plain = environment_of("toys")
    assert plain.system_packages == ("libgomp1",)
    (folder / ".python-version").write_text("3.12\n")
    assert environment_of("toys").python == "3.12"
    assert environment_of("toys").hash != plain.hash


def test_an_image_for_another_machine_is_another_environment(repository: Repository) -> None:
    repository.add("toys")
    assert environment_of("toys").platform == this_platform()
    assert environment_of("toys", platform="linux-riscv64").hash != environment_of("toys").hash


def test_without_a_lock_file_the_sentence_says_how_to_make_it(repository: Repository) -> None:
    folder = repository.add("toys", lock=False)
    with pytest.raises(FrozenError, match=f"Location toys has no lock file.* uv lock --project {folder}"):
        environment_of("toys")


def test_a_location_that_does_not_exist_is_a_sentence(repository: Repository) -> None:
    with pytest.raises(FrozenError, match=r"nowhere is no location: .*pyproject\.toml does not exist"):
        environment_of("nowhere")


def test_it_is_the_same_wherever_the_repository_lies(repository: Repository, tmp_path: Path) -> None:
    repository.add("toys")
    moved = tmp_path / "moved"
    here = environment_of("toys")
    repository.folder.rename(moved)
    assert environment_of("toys", repository=moved).hash == here.hash
