"""Objects come back equal; what cannot be kept is refused in a sentence."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.catalog.values import Version
from platform_core.errors import UnsupportedValueError
from platform_core.store.objects import is_json, read_object, write_object
from platform_core.store.store import Store
from platform_core.store.values import Target, read_versions, write_version
from tests.platform_core.drafts import TESS


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
    assert write_object((1,), tmp_path) == "pickle"
    assert [path.name for path in tmp_path.iterdir()] == ["object.pickle"]


@pytest.mark.parametrize(
    ("value", "name"), [(lambda: 1, "function"), (threading.Lock(), "lock"), (iter_nothing(), "generator")]
)
def test_what_pickle_cannot_hold_is_refused_with_its_type_and_a_way_out(value: Any, name: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedValueError, match=f"A value of the type {name} cannot be stored .*; return a table"):
        write_object(value, tmp_path)
    assert list(tmp_path.iterdir()) == []


@given(value=SIMPLE)
def test_json_is_used_only_where_nothing_changes(value: Any) -> None:
    import json

    if is_json(value):
        assert repr(json.loads(json.dumps(value))) == repr(value)


@pytest.mark.parametrize("value", [{"auc": 0.7, "names": ["a", None]}, [], "text \ud800", 10**30, -0.0, None])
def test_plain_values_are_json(value: Any, tmp_path: Path) -> None:
    assert write_object(value, tmp_path) == "json"
    assert repr(read_object(tmp_path / "object.json", "json")) == repr(value)


@pytest.mark.parametrize("value", [(1, 2), {1: "a"}, {"a": float("nan")}, [float("inf")], {"a": {2, 3}}, b"x"])
def test_what_json_would_change_is_not_json(value: Any, tmp_path: Path) -> None:
    assert write_object(value, tmp_path) == "pickle"


TENSORS = {"weights": np.arange(6, dtype="float32").reshape(2, 3).T, "bias": np.array([1, -1], dtype="int64")}


def test_arrays_by_name_are_safetensors(tmp_path: Path) -> None:
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    assert write_object(TENSORS, tmp_path) == "safetensors"
    found = read_object(tmp_path / "object.safetensors", "safetensors")
    assert {name: value.tolist() for name, value in found.items()} == {n: v.tolist() for n, v in TENSORS.items()}
    assert found["weights"].dtype == "float32"


def test_one_array_comes_back_alone(tmp_path: Path) -> None:
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    assert write_object(TENSORS["bias"], tmp_path) == "safetensors"
    assert read_object(tmp_path / "object.safetensors", "safetensors").tolist() == [1, -1]


def test_tensors_of_torch_are_safetensors(tmp_path: Path) -> None:
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    torch = pytest.importorskip("torch", reason="torch is not installed")
    shared = torch.ones(2, 2)
    assert write_object({"a": shared, "b": shared.T}, tmp_path) == "safetensors"
    assert read_object(tmp_path / "object.safetensors", "safetensors")["b"].equal(shared)


@pytest.mark.parametrize(
    "value",
    [np.array(["a"]), np.array([object()]), {"a": {"b": np.ones(2)}}, {1: np.ones(2)}, {"a": np.ones(2), "b": 1}],
)
def test_arrays_that_safetensors_cannot_hold_are_pickled(value: Any, tmp_path: Path) -> None:
    assert write_object(value, tmp_path) == "pickle"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "made" / "object"
    (folder / "object" / "deep er").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "object" / "deep er" / "größe.bin").write_bytes(b"x" * 100)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def write_tree(store: Store, tree: Path) -> Version:
    return write_version(store, tree, Target(TESS, "flights/model"))


def test_a_folder_comes_back_as_a_folder(any_store: Store, tree: Path) -> None:
    version = write_tree(any_store, tree)
    found = read_versions(any_store, [version], Path)
    assert version.format == "folder"
    assert contents(found) == contents(tree)


def test_whoever_changes_a_folder_that_was_read_changes_no_version(any_store: Store, tree: Path) -> None:
    version = write_tree(any_store, tree)
    (path,) = read_versions(any_store, [version]).glob("*.json")
    assert path.stat().st_mode & 0o222 == 0
    path.chmod(0o600)
    path.write_text("changed")
    assert contents(read_versions(any_store, [version])) == contents(tree)


def test_an_empty_folder_is_refused(any_store: Store, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnsupportedValueError, match="empty holds no files"):
        write_tree(any_store, tmp_path / "empty")
