"""What of a dbt model tells whether its value would be another one: the SQL it compiles to, and how it is kept."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_AS_WRITTEN = "written:"
# As DuckDB cuts SQL: a backslash escapes in text that begins with E alone, and operators are what stands together.
_TOKEN = re.compile(
    r"""
    (?P<text> \b[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" | (?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?P=tag) )
    | (?P<comment> --[^\n]* | /\*.*?\*/ ) | (?P<space> \s+ ) | \w+ | (?: (?!--|/\*)[-+*/<>=~!@%^&|?:\#] )+ | .
    """,
    re.DOTALL | re.VERBOSE,
)
_HOW = ("materialized", "unique_key", "incremental_strategy", "strategy")


def goes_on(config: Mapping[str, Any]) -> bool:
    """Whether a model is made from its version before."""
    return config.get("materialized") in ("incremental", "snapshot")


def is_compiled(version: str) -> bool:
    """Whether a version is that of SQL, and not of a model that asks for data in order to become SQL."""
    return not version.startswith(_AS_WRITTEN)


def code_version(props: Mapping[str, Any], macros: Mapping[str, Any]) -> str:
    """Digits that change with what the compiled SQL says; where it needs data to compile, with what is written of it.

    Args:
        props: the node of dbt's manifest.
        macros: those of the manifest.
    """
    config = props.get("config") or {}
    kept: list[Any] = [(config.get("meta") or {}).get("partition_by")]
    kept += [config.get(name) for name in _HOW] if goes_on(config) else []
    compiled, written = props.get("compiled_code"), props.get("raw_code")
    if compiled:
        return _digits([tokens(compiled), *kept])
    if not written:  # a seed, of which the file counts
        return _digits([(props.get("checksum") or {}).get("checksum"), *kept])
    return _AS_WRITTEN + _digits([written, *sorted(_reached(props, macros, set())), *kept])


def tokens(sql: str) -> list[str]:
    """What a statement says, whatever its spaces, lines and comments are; text in quotes stays as it is.

    A statement with a comment in a comment is one token: where that ends is too easily mistaken.
    """
    found = list(_TOKEN.finditer(sql))
    if any("/*" in match["comment"][2:] for match in found if match["comment"]):
        return [sql]
    return [match[0] for match in found if not match["comment"] and not match["space"]]


def _reached(props: Mapping[str, Any], macros: Mapping[str, Any], seen: set[str]) -> Iterator[str]:
    for name in (props.get("depends_on") or {}).get("macros", ()):
        if name in macros and name not in seen:
            seen.add(name)
            yield macros[name]["macro_sql"]
            yield from _reached(macros[name], macros, seen)


def _digits(parts: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:12]
