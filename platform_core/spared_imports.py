"""Lets a library be imported without what it imports itself and this process most likely never calls."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


@contextmanager
def without(names: Mapping[str, Sequence[str]]) -> Iterator[None]:
    """Within, `from <module> import <name>` gives something that imports the module when it is first used.

    Modules that are imported already are left as they are.

    Args:
        names: by module what is imported of it, to be called or asked for attributes, and nothing else.
    """
    spared = {module: ModuleType(module) for module in names if module not in sys.modules}
    for module, stand_in in spared.items():
        vars(stand_in).update({name: _named(module, name) for name in names[module]}, __path__=[])
    with _in_place(spared):
        yield


@contextmanager
def without_init_of(package: str) -> Iterator[None]:
    """Within, modules of a package can be imported, and the package's own `__init__` is not executed for it."""
    spared: dict[str, ModuleType] = {}
    if package not in sys.modules and (spec := find_spec(package)):
        spared[package] = ModuleType(package)
        vars(spared[package])["__path__"] = list(spec.submodule_search_locations or ())
    with _in_place(spared):
        yield


@contextmanager
def _in_place(stand_ins: Mapping[str, ModuleType]) -> Iterator[None]:
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name in stand_ins:
            del sys.modules[name]  # whoever imports it from now on gets the module itself


def postponed(make: Callable[[], Any]) -> Any:
    """A stand-in for an object that is made when it is called, or asked for an attribute."""
    return _Later(make)


class _Later:
    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._found(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._found, name)

    @cached_property
    def _found(self) -> Any:
        return self._make()


def _named(module: str, name: str) -> _Later:
    return _Later(lambda: getattr(import_module(module), name))
