"""Objects come back equal; what cannot be kept is refused in a sentence."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.errors import UnsupportedValueError
from platform_core.store.objects import read_object, write_object


@dataclass(frozen=True)
class Centroids:
    points: tuple[tuple[float, float], ...]
    fitted_on: date


def iter_nothing() -> Iterator[int]:
    yield from ()


def there_and_back(value: Any, folder: Path) -> Any:
    format = write_object(value, folder)
    (path,) = folder.iterdir()
    return read_object(path, format)


SIMPLE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=8,
)


@given(value=SIMPLE)
def test_plain_values_come_back(value: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert there_and_back(value, tmp_path_factory.mktemp("object")) == value


def test_an_object_of_a_class_comes_back(tmp_path: Path) -> None:
    value = Centroids(((0.0, 1.0),), date(2013, 1, 1))
    assert there_and_back(value, tmp_path) == value


def test_an_object_is_pickled_under_a_fixed_name(tmp_path: Path) -> None:
    assert write_object([1], tmp_path) == "pickle"
    assert [path.name for path in tmp_path.iterdir()] == ["object.pickle"]


@pytest.mark.parametrize(
    ("value", "name"), [(lambda: 1, "function"), (threading.Lock(), "lock"), (iter_nothing(), "generator")]
)
def test_what_pickle_cannot_hold_is_refused_with_its_type_and_a_way_out(value: Any, name: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedValueError, match=f"A value of the type {name} cannot be stored .*; return a table"):
        write_object(value, tmp_path)
    assert list(tmp_path.iterdir()) == []
