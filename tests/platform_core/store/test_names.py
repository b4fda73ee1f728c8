"""Whatever people call their assets and partitions, the folder stays inside the store and is nobody else's."""

import posixpath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from platform_core.errors import UnsupportedValueError
from platform_core.store.names import SEGMENT_LIMIT, require_storable, segment, version_key

# Texts that are likely to meet each other when escaped, next to any text at all.
TRICKY = st.text(alphabet="aA%~. /\\0125é-_", max_size=6)
TEXT = st.one_of(TRICKY, st.text(), st.text(min_size=SEGMENT_LIMIT))


@given(TEXT)
@example("..")
@example("")
@example(".hidden")
@example("a/../../b")
def test_a_segment_is_one_safe_folder_name(text: str) -> None:
    made = segment(text)
    assert 0 < len(made) <= SEGMENT_LIMIT
    assert not made.startswith(".")
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyzABCDEF0123456789%=@+,-_.~")


@given(TEXT, TEXT)
@example("A", "%41")
@example("", "~e3b0c44298fc1c14")
@example(" ", "%20")
@example(".", "%2E")
@example("x" * (SEGMENT_LIMIT + 1), segment("x" * (SEGMENT_LIMIT + 1)))
def test_different_texts_get_different_segments(one: str, other: str) -> None:
    assert (segment(one) == segment(other)) == (one == other)


@given(TEXT)
def test_a_segment_is_not_the_segment_of_another_text(text: str) -> None:
    assert segment(segment(text)) != segment(text) or segment(text) == text


@given(TEXT)
def test_texts_that_differ_in_case_stay_apart_where_case_is_ignored(text: str) -> None:
    for changed in (text.upper(), text.lower(), text.swapcase()):
        assert (segment(text).lower() == segment(changed).lower()) == (text == changed)


@pytest.mark.parametrize("text", ["weather", "2013-01", "a_b", "2013-01-01=x@y+z,1"])
def test_ordinary_names_stay_as_they_are(text: str) -> None:
    assert segment(text) == text


@given(st.text(min_size=1), st.text(), st.from_regex(r"[0-9a-f-]{1,30}", fullmatch=True))
@example("../../etc/passwd", "../..", "v")
@example("/", "/", "v")
@example("a//b", "..", "v")
def test_a_version_lies_below_the_folder_of_its_namespace(asset: str, partition: str, version: str) -> None:
    key = version_key("user/tess", asset, partition, version)
    assert key.startswith("user/tess/")
    assert posixpath.normpath(key) == key
    assert ".." not in key.split("/")


def test_a_key_reads_as_namespace_asset_partition_and_version() -> None:
    assert version_key("production", "flights/weather", "2013-01", "v1") == "production/flights/weather/2013-01/v1"
    assert version_key("production", "flights/planes", "", "v1") == "production/flights/planes/v1"


@pytest.mark.parametrize("name", ["a\0b", "half \ud83d"])
def test_a_name_that_no_database_keeps_is_refused(name: str) -> None:
    require_storable("t/a", "ключ / 🎉\n", "")
    with pytest.raises(UnsupportedValueError, match="holds a character that cannot be stored"):
        require_storable("t/a", name)
