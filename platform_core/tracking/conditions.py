"""Conditions as people write them."""

import re
from collections.abc import Iterable

from platform_core.catalog.searching import Comparison, Condition, Kind
from platform_core.errors import NotFoundError

_CONDITION = re.compile(r"\s*(?:(metric|param|tag)\.)?(.+?)\s*(!=|<=|>=|=|<|>)\s*(.+?)\s*")
_KINDS: dict[str | None, Kind | None] = {"metric": "metric", "param": "parameter", "tag": "tag", None: None}


def conditions(texts: Iterable[str]) -> tuple[Condition, ...]:
    """Texts such as `auc > 0.7`, `param.depth = 4` or `tag.quality = good`.

    Raises:
        NotFoundError: one is none.
    """
    return tuple(_condition(text) for text in texts)


def _condition(text: str) -> Condition:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise NotFoundError(f"'{text}' is no condition; try 'auc > 0.7', 'param.depth = 4' or 'tag.quality = good'.")
    comparison: Comparison = found[3]  # type: ignore[assignment]
    return Condition(found[2], comparison, found[4].strip("'\""), _KINDS[found[1]])
