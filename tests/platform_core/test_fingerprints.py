"""A fingerprint changes with what a function does, and with nothing else."""

import subprocess
import sys
from collections.abc import Callable
from importlib import import_module, invalidate_caches
from itertools import count
from pathlib import Path
from types import ModuleType

import pytest

from platform_core import fingerprints
from platform_core.fingerprints import CELLS, code_fingerprint

REPOSITORY = Path(__file__).resolve().parents[2]

FACTS = '''
"""A team's module."""
import functools
from datetime import date
import polars as pl
from team import helpers

THRESHOLD = 15
WORDS = {"b", "a", "c"}
TYPES = {"a": pl.Int64, "b": (pl.col("x").mean(), lambda: 1)}
LATE = pl.col("delay") > 15
SINCE = date(2013, 1, 1)
unused = 1


class Base:
    size = 1


class Shape(Base):
    """What it is."""

    sides = 3


def inner(value):
    """Adds."""
    return value + 1


def middle(value):
    return inner(value)


@functools.lru_cache
def remembered(value):
    return value * 2


def not_used(value):
    return value


def declares(function):
    return function


def target(value: int, *, flag: bool = False) -> list:
    """What it does."""
    # A comment.
    if flag and middle(value) > THRESHOLD:
        return [Shape.sides, helpers.double(value), helpers.LIMIT, WORDS, TYPES, LATE, SINCE, remembered(1)]
    return [target]
'''
HELPERS = """
LIMIT = 3


def double(value):
    return 2 * value
"""

Fingerprint = Callable[..., str]


def load(folder: Path, package: str, **modules: str) -> ModuleType:
    """Writes a package and imports its `facts`."""
    (folder / package).mkdir(parents=True)
    for name, code in modules.items():
        (folder / package / f"{name}.py").write_text(code)
    invalidate_caches()
    return import_module(f"{package}.facts")


@pytest.fixture
def fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fingerprint:
    """The fingerprint of `target` in the code above with a text replaced, as a new process would find it."""
    numbers = count()

    def found(old: str = "", new: str = "") -> str:
        assert old in FACTS + HELPERS
        folder = tmp_path / str(next(numbers))
        monkeypatch.syspath_prepend(folder)
        for name in ("team", "team.facts", "team.helpers"):
            sys.modules.pop(name, None)
        fingerprints._top_level.cache_clear()
        facts = load(folder, "team", facts=FACTS.replace(old, new), helpers=HELPERS.replace(old, new))
        return code_fingerprint(facts.target, "team")

    return found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# A comment.", "# Another comment, much longer than the one before."),
        ('"""What it does."""', '"""Something else.\n\n    At length.\n    """'),
        ('"""Adds."""', '"""Adds one."""'),
        ('"""What it is."""', '"""Of what shape it is."""'),
        ('"""A team\'s module."""', '"""Another module."""'),
        ("return value + 1", "return (value  +  1)"),
        ("[Shape.sides, ", "[\n            Shape.sides,\n            "),
        ("def not_used(value):\n    return value", "def not_used(value):\n    return value + 2"),
        ("unused = 1", "unused = 2"),
        ("def target(", "@declares\ndef target("),
        ('{"b", "a", "c"}', '{"c", "b", "a"}'),
    ],
)
def test_what_does_not_count(old: str, new: str, fingerprint: Fingerprint) -> None:
    assert fingerprint(old, new) == fingerprint()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return value + 1", "return value + 2"),
        ("return inner(value)", "return inner(value) + 0"),
        ("THRESHOLD = 15", "THRESHOLD = 16"),
        ('"c"}', '"d"}'),
        ('"a": pl.Int64', '"a": pl.Int32'),
        ('pl.col("x").mean()', 'pl.col("x").max()'),
        ('pl.col("delay") > 15', 'pl.col("delay") > 16'),
        ("date(2013, 1, 1)", "date(2014, 1, 1)"),
        ("sides = 3", "sides = 4"),
        ("size = 1", "size = 2"),
        ("return 2 * value", "return 3 * value"),
        ("LIMIT = 3", "LIMIT = 4"),
        ("return value * 2", "return value * 4"),
        ("flag: bool = False", "flag: bool = True"),
        ("return [target]", "return []"),
    ],
)
def test_what_counts(old: str, new: str, fingerprint: Fingerprint) -> None:
    assert fingerprint(old, new) != fingerprint()


def test_what_lies_in_another_package_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    load(tmp_path, "theirs", facts=HELPERS)
    code = "from theirs import facts\n\n\ndef target(value):\n    return facts.double(value)\n"
    ours = load(tmp_path, "ours", facts=code)
    before = code_fingerprint(ours.target, "ours")
    monkeypatch.setattr("theirs.facts.double", lambda value: value)
    fingerprints._read.cache_clear()
    assert code_fingerprint(ours.target, "ours") == before


def test_functions_that_call_each_other_have_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    code = "def target(n):\n    return other(n)\n\n\ndef other(n):\n    return n and target(n - 1)\n"
    assert len(code_fingerprint(load(tmp_path, "mutual", facts=code).target, "mutual")) == 12


def test_a_function_without_a_source_file_has_one() -> None:
    scope: dict[str, Callable[[], int]] = {}
    exec("def one(): return 1\ndef two(): return 2 + one()", scope)
    one, again, two = (code_fingerprint(scope[name], "x") for name in ("one", "one", "two"))
    assert one == again != two


def test_every_process_comes_to_the_same_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    load(tmp_path, "anywhere", facts=FACTS.replace("from team", "from anywhere"), helpers=HELPERS)
    assert len({_in_a_process(tmp_path, seed) for seed in ("1", "2")}) == 1


def _in_a_process(folder: Path, seed: str) -> str:
    imports = "from platform_core.fingerprints import code_fingerprint; from anywhere.facts import target"
    code = f"{imports}; print(code_fingerprint(target, 'anywhere'))"
    environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": f"{REPOSITORY}:{folder}"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    return done.stdout


def test_a_helper_that_is_an_asset_too_counts_the_same_whatever_was_asked_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    decorator = "def declares(function):\n    return function\n\n\n"
    code = decorator + "@declares\ndef other(n):\n    return n\n\n\n@declares\ndef target(n):\n    return other(n)\n"
    module = load(tmp_path, "ordered", facts=code)

    def asked(*names: str) -> dict[str, str]:
        for cached in (fingerprints._read, fingerprints._top_level, fingerprints._alone):
            cached.cache_clear()
        return {name: code_fingerprint(getattr(module, name), "ordered") for name in names}

    assert asked("other", "target") == asked("target", "other")


def test_cells_count_with_what_they_import_of_the_package() -> None:
    def plain() -> None: ...

    def of(*cells: str) -> str:
        plain.__dict__[CELLS] = cells
        return code_fingerprint(plain, __package__ or "tests.platform_core")

    alone = of("x = 1")
    assert of("x = 1  # as before") == alone
    named, whole = of("from tests.platform_core.drafts import draft\nx = 1"), of("import json\nx = 1")
    assert len({alone, named, whole, of("x = 1", "y = 2"), of("%%R\nx <- 1")}) == 5
    through = of("from tests.platform_core import drafts\ndrafts.draft()")
    assert through != of("from tests.platform_core import drafts\ndrafts.nothing()")
    assert of("from tests.platform_core import missing")  # told when the cell runs
