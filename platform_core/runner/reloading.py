"""Reloads of a location what was changed in its files, and what imports it; the rest stays as it is."""

import ast
import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

State = tuple[int, int]


@dataclass
class Code:
    """The loaded modules of a package, as their files were when they were loaded."""

    package: str
    states: dict[str, State] = field(default_factory=dict)

    @classmethod
    def of(cls, package: str) -> "Code":
        code = cls(package)
        code.states = {name: _state(module) for name, module in code.modules().items()}
        return code

    def modules(self) -> dict[str, ModuleType]:
        inside = f"{self.package}."
        return {
            name: module
            for name, module in sorted(sys.modules.items())
            if (name == self.package or name.startswith(inside)) and getattr(module, "__file__", None)
        }

    def changed(self) -> list[str]:
        """The modules whose files are not what was loaded."""
        return [name for name, module in self.modules().items() if _state(module) != self.states.get(name)]

    def state(self, name: str) -> State:
        """What the file of a module is at present."""
        return _state(sys.modules[name])

    def reload(self, but: str = "") -> list[str]:
        """Reloads changed modules and those that import them, imported ones first; which they were.

        Args:
            but: a module that is left as it is, as the one that puts the location together.
        """
        changed = self.changed()
        importers = {name: set(_imports(module, self.modules())) for name, module in self.modules().items()}
        stale = set(changed)
        while more := {name for name, used in importers.items() if used & stale} - stale:
            stale |= more
        order = [name for name in _in_order(importers) if name in stale and name != but]
        for name in order:
            module = sys.modules[name]
            seen = _state(module)
            importlib.invalidate_caches()
            importlib.reload(module)
            self.states[name] = seen
        return order


@dataclass
class Texts:
    """Files that are read anew whenever they are needed, such as those of a dbt project, as they were last."""

    found: Callable[[], Iterable[Path]]
    states: Mapping[str, State] = field(default_factory=dict)

    def changed(self) -> dict[str, State]:
        """Those that are not as they were, each with its state at present; those that are gone, too."""
        now = {str(path): _of_file(path) for path in self.found()}
        gone = dict.fromkeys(self.states.keys() - now.keys(), (0, 0))
        return {name: state for name, state in (now | gone).items() if state != self.states.get(name)}

    def take(self) -> list[str]:
        """Has seen them; the names of those that changed."""
        changed = self.changed()
        self.states = {name: state for name, state in {**self.states, **changed}.items() if Path(name).exists()}
        return [Path(name).name for name in changed]


def _state(module: ModuleType) -> State:
    return _of_file(Path(module.__file__ or ""))


def _of_file(path: Path) -> State:
    try:
        status = path.stat()
    except FileNotFoundError:
        return (0, 0)  # an editor is replacing it
    return status.st_mtime_ns, status.st_size


def _imports(module: ModuleType, known: Mapping[str, ModuleType]) -> Iterator[str]:
    """Which of some modules a module imports, anywhere in it."""
    try:
        tree = ast.parse(Path(module.__file__ or "").read_text())
    except (SyntaxError, FileNotFoundError):
        return  # reloading it tells what is wrong
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (name for alias in node.names if (name := f"{node.module}.{alias.name}") in known)
            if node.module in known and known[node.module].__file__ and not _is_package(known[node.module]):
                yield node.module


def _is_package(module: ModuleType) -> bool:
    return Path(module.__file__ or "").name == "__init__.py"


def _in_order(importers: Mapping[str, set[str]]) -> list[str]:
    """The imported before what imports them."""
    order: list[str] = []

    def visit(name: str, above: tuple[str, ...] = ()) -> None:
        if name not in order and name not in above:
            for used in sorted(importers.get(name, ())):
                visit(used, (*above, name))
            order.append(name)

    for name in importers:
        visit(name)
    return order
