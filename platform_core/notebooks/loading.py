"""The cell that loads what a notebook reads: the very versions, by name, so that anybody can execute it again."""

import json
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, get_args

from platform_core.catalog.values import Version

_SHORT = {"polars": "pl", "pandas": "pd", "pyarrow": "pa", "duckdb": "duckdb"}
_HOME = {"polars": "polars", "pandas": "pandas", "pyarrow": "pyarrow", "duckdb": "duckdb", "_duckdb": "duckdb"}


def loading(inputs: Mapping[str, Sequence[Version] | None], hints: Mapping[str, Any]) -> str:
    """The code of the cell.

    Args:
        inputs: by variable the versions of its value; None where there is none.
        hints: by variable the type in which it is wanted.
    """
    kinds = {name: _kind(hints.get(name)) for name in inputs}
    libraries = sorted({library for library, _ in kinds.values() if library})
    lines = [f"import {name}" if _SHORT[name] == name else f"import {name} as {_SHORT[name]}" for name in libraries]
    lines += [*([""] if libraries else []), "from platform_core import client", ""] if inputs else []
    return "\n".join([*lines, *(_line(name, versions, *kinds[name]) for name, versions in inputs.items())])


def _line(name: str, versions: Sequence[Version] | None, library: str, kind: str) -> str:
    if not versions:
        return f"{name} = None"
    wanted = f", kind={_SHORT[library]}.{kind}" if library else ""
    if len(versions) == 1:
        return f"{name} = client.load({_named(versions[0])}{wanted})  # {_of(versions[0])}"
    each = "".join(f"    {_named(version)},  # {_of(version)}\n" for version in versions)
    return f"{name} = client.load([\n{each}]{wanted})"


def _named(version: Version) -> str:
    return json.dumps(f"{version.asset}@{version.id}")


def _of(version: Version) -> str:
    rows = "" if version.rows is None else f"{version.rows:,} rows"
    return " of ".join(filter(None, [rows or version.format, " ".join(version.partition.split())]))


def _kind(hint: Any) -> tuple[str, str]:
    """The library of a type of table and its name in there; empty texts for what comes as it is."""
    rest = [item for item in get_args(hint) if item is not NoneType]
    kind = rest[0] if len(rest) == 1 else hint
    library = _HOME.get(getattr(kind, "__module__", "").split(".")[0], "")
    return (library, kind.__name__) if library else ("", "")
