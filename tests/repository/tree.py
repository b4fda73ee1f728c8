"""What the guards read: the folders of this repository, and the imports of its modules."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def locations() -> dict[str, Path]:
    """The folders of the locations by name: those under `code_locations/` that are a project of their own."""
    return {file.parent.name: file.parent for file in sorted((ROOT / "code_locations").glob("*/pyproject.toml"))}


def modules_under(folder: str) -> list[Path]:
    """The Python files that belong to a top-level folder; environments inside of it do not."""
    files = sorted((ROOT / folder).rglob("*.py"))
    return [file for file in files if not any(part.startswith(".") for part in file.relative_to(ROOT).parts)]


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module. `at_load` tells whether the import runs as soon as its file is imported."""

    file: str
    line: int
    module: str
    at_load: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def imports_of(source: str, file: str = "") -> list[Import]:
    return list(_walk(ast.parse(source, file), file, at_load=True))


def imports_under(folder: str) -> list[Import]:
    found = (imports_of(path.read_text(), str(path.relative_to(ROOT))) for path in modules_under(folder))
    return [item for items in found for item in items]


def _walk(node: ast.AST, file: str, at_load: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        for module in _modules(child):
            yield Import(file, child.lineno, module, at_load)  # type: ignore[attr-defined]
        inside_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if not _only_for_types(child):
            yield from _walk(child, file, at_load and not inside_function)


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        return [module, *(f"{module}.{alias.name}" for alias in node.names if alias.name.startswith("_"))]
    return []


def _only_for_types(node: ast.AST) -> bool:
    """Whether this is `if TYPE_CHECKING:`, whose body never runs."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
