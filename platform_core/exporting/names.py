"""What our names are called in MLflow, which takes fewer characters."""

import re
from collections.abc import Iterable

_METRIC = re.compile(r"[^\w\-. /]")  # besides colons, which not every store takes
LONGEST = 250


def metric_names(names: Iterable[str]) -> dict[str, str]:
    """By our name of a metric that of MLflow: `auc[origin=JFK]` is `auc.origin_JFK`. Different ones stay different."""
    # A point, not a slash: in a folder of MLflow, `auc` is a file and cannot be a folder, too.
    found: dict[str, str] = {}
    for name in names:
        inner = name.removesuffix("]").replace("[", ".", 1) if name.endswith("]") else name
        plain = _METRIC.sub("_", inner).strip("/")[:LONGEST] or "_"
        number, unique = 1, plain
        while unique in found.values():
            number += 1
            unique = f"{plain}_{number}"
        found[name] = unique
    return found


def model_name(asset: str) -> str:
    """Registered models have neither slashes nor colons in their names."""
    return re.sub(r"[/:]", ".", asset)


def quoted(text: str) -> str:
    """A text in a filter."""
    return "'" + text.replace("'", "\\'") + "'"
