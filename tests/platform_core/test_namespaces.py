"""A namespace is one of three forms, and names that derive from it never meet those of another."""

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from platform_core.errors import NamespaceError
from platform_core.namespaces import PRODUCTION, SLUG_LIMIT, Namespace, slug

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")  # what Kubernetes, PostgreSQL and S3 all take
NAMES = st.from_regex(LABEL, fullmatch=True).filter(lambda name: len(name) <= SLUG_LIMIT)
NAMESPACES = st.one_of(
    st.just(PRODUCTION),
    st.builds(Namespace, st.sampled_from(["user", "branch"]), NAMES),
)


@given(NAMESPACES)
def test_the_text_of_a_namespace_gives_it_back(namespace: Namespace) -> None:
    assert Namespace.parse(str(namespace)) == namespace


@pytest.mark.parametrize(
    "text",
    [
        *("", "prod", "Production", "production/", "production/x", "PRODUCTION", " production"),
        *("user", "user/", "user/Tess", "user/-tess", "user/tess-", "user/a/b", "user/a_b", "user/a.b", "user/tess\n"),
        *("branch", "branch/../../etc", "branch/é", "team/x", "/x", f"user/{'x' * (SLUG_LIMIT + 1)}"),
    ],
)
def test_a_text_of_another_form_is_refused_by_name(text: str) -> None:
    with pytest.raises(NamespaceError, match=re.escape(f"'{text}' is not a namespace: use production, user/<name>")):
        Namespace.parse(text)


@given(NAMESPACES, NAMESPACES)
def test_two_namespaces_share_neither_text_nor_slug(one: Namespace, other: Namespace) -> None:
    assert (one == other) == (str(one) == str(other)) == (one.slug == other.slug)


@given(NAMES, st.text(min_size=1))
def test_throwaways_have_names_that_no_login_gives(name: str, login: str) -> None:
    beside = Namespace.parse(f"{Namespace('user', name).throwaways}0a1b2c")
    assert beside.kind == "user"
    assert beside != Namespace.of_user(login)
    assert beside != Namespace.of_user(beside.name)


def test_only_production_has_no_parent() -> None:
    assert PRODUCTION.parent is None
    assert Namespace("user", "tess").parent == Namespace("branch", "x").parent == PRODUCTION


def test_only_production_is_production() -> None:
    assert PRODUCTION.is_production
    assert not Namespace("branch", "production").is_production


@given(st.text(min_size=1))
@example("a" * SLUG_LIMIT)
@example("a" * (SLUG_LIMIT + 1))
@example("--")
@example("a--b")
def test_a_slug_of_any_text_is_a_short_label(text: str) -> None:
    assert LABEL.fullmatch(slug(text))
    assert len(slug(text)) <= SLUG_LIMIT


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_texts_never_share_a_slug(one: str, other: str) -> None:
    assert (slug(one) == slug(other)) == (one == other)


@given(st.text(min_size=1))
def test_no_text_has_the_slug_of_another_as_its_own(text: str) -> None:
    made = slug(text)
    assert slug(made) != made or text == made


@pytest.mark.parametrize("text", ["tess", "feature-42", "x", "a" * SLUG_LIMIT])
def test_a_text_that_is_a_slug_is_kept(text: str) -> None:
    assert slug(text) == text


@pytest.mark.parametrize(("one", "other"), [("Tess", "tess"), ("a.b", "a_b"), ("feature/x", "feature-x"), ("é", "è")])
def test_texts_that_look_alike_get_slugs_that_differ(one: str, other: str) -> None:
    assert slug(one) != slug(other)


@given(st.text(min_size=1))
def test_every_login_has_a_namespace(login: str) -> None:
    namespace = Namespace.of_user(login)
    assert namespace.kind == "user"
    assert Namespace.parse(str(namespace)) == namespace


@pytest.mark.parametrize(("kind", "name"), [("user", "../x"), ("user", ""), ("production", "x"), ("prod", "x")])
def test_no_namespace_can_be_made_that_could_not_be_read(kind: Any, name: str) -> None:
    with pytest.raises(NamespaceError, match="is not a namespace"):
        Namespace(kind, name)
