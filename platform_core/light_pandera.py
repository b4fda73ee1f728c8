"""Imports pandera without pandas until something of it that is about pandas is asked for.

`import pandera.polars` runs pandera's own `__init__`, which imports pandas where it is installed, although a schema for
polars needs nothing of it: a third of what loading such a location takes. pandera works where pandas is not installed,
and that is what it is told at first. `pandera.pandas`, `pandera.DataFrameModel` and `pandera.typing.Series` are there
all the same: two modules of pandera look for pandas, and each is run again, with it, at the first name that it lacks.
"""

import importlib
import sys
import threading
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_PANDERA, _PANDAS = "pandera", "pandas"
_LOOK_FOR_PANDAS = (_PANDERA, "pandera.typing")


def import_pandera_lightly() -> None:
    """From now on; without effect where pandas or pandera are imported already."""
    if not {_PANDERA, _PANDAS} & sys.modules.keys():
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds pandera once."""

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if name != _PANDERA:
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name)
        if spec and spec.loader and _PANDAS not in sys.modules:
            spec.loader = _Light(spec.loader)
        return spec


class _Light(Loader):
    """Executes pandera while it cannot see pandas."""

    def __init__(self, own: Loader) -> None:
        self._own = own

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        hiding = _Hiding(threading.get_ident())
        sys.meta_path.insert(0, hiding)
        try:
            self._own.exec_module(module)
        finally:
            sys.meta_path.remove(hiding)
        for name in _LOOK_FOR_PANDAS:
            if found := sys.modules.get(name):
                vars(found)["__getattr__"] = _completing(found)


class _Hiding(MetaPathFinder):
    """Finds no pandas for one thread."""

    def __init__(self, thread: int) -> None:
        self._thread = thread

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if name == _PANDAS and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"No module named '{_PANDAS}'", name=_PANDAS)
        return None


def _completing(module: ModuleType) -> Any:
    """The `__getattr__` of a module that was executed without pandas: executes it once more, with it."""

    def attribute(name: str) -> Any:
        if name.startswith("__"):  # asked of any module by inspect, doctest and others
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
        vars(module).pop("__getattr__", None)
        importlib.reload(module)
        return getattr(module, name)

    return attribute
