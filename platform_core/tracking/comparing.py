"""Versions side by side: what is known of each, in columns, as a frame or as a table of Markdown."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from platform_core.catalog.values import Version
from platform_core.namespaces import Namespace

if TYPE_CHECKING:
    import polars as pl

    from platform_core.catalog.catalog import Catalog

Tags = Mapping[str, Mapping[str, str]]
Names = Mapping[str, Sequence[str]]
Columns = dict[str, list[Any]]  # by name the value of each version


def columns_of(versions: Sequence[Version], tags: Tags | None = None, aliases: Names | None = None) -> Columns:
    """What each version is, then its parameters, metrics and tags as `param.x`, the metric's own name, and `tag.x`."""
    rows = [
        _row(version, (tags or {}).get(version.id, {}), (aliases or {}).get(version.id, ())) for version in versions
    ]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {name: _of_one_type([row.get(name) for row in rows]) for name in names} if rows else dict(_EMPTY)


def compared(catalog: "Catalog", namespace: Namespace, versions: Sequence[Version]) -> Columns:
    """The same with the tags and aliases that a namespace shows."""
    assets = {version.asset for version in versions}
    tags = {id: said for asset in assets for id, said in catalog.tags(namespace, asset).items()}
    names: dict[str, list[str]] = {}
    for alias in (item for asset in assets for item in catalog.aliases(namespace, asset)):
        names.setdefault(alias.version or "", []).append(alias.name)
    return columns_of(versions, tags, names)


def framed(catalog: "Catalog", namespace: Namespace, versions: Sequence[Version]) -> "pl.DataFrame":
    """The same as a frame with a row for each version."""
    import polars as pl  # which the commands need not wait for

    return pl.DataFrame(compared(catalog, namespace, versions))


_EMPTY: Columns = {"asset": [], "partition": [], "version": []}


def _row(version: Version, tags: Mapping[str, str], aliases: Sequence[str]) -> dict[str, Any]:
    origin = version.provenance
    own = {
        "asset": version.asset,
        "partition": version.partition,
        "version": version.id,
        "alias": ", ".join(aliases),
        "namespace": version.namespace,
        "created_at": version.created_at,
        "author": origin.author,
        "git_commit": origin.git_commit,
        "code_version": origin.code_version,
        "run_id": origin.run_id,
    }
    parameters = {f"param.{name}": value for name, value in origin.parameters.items()}
    said = {f"tag.{name}": value for name, value in tags.items()}
    metrics = {f"metric.{name}" if name in own else name: value for name, value in version.metrics.items()}
    return own | parameters | metrics | said


def _of_one_type(values: list[Any]) -> list[Any]:
    """Numbers as numbers; where versions have values of several types, as text."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) < 2:  # noqa: PLR2004
        return values
    kind: Any = float if kinds == {int, float} else str
    return [None if value is None else kind(value) for value in values]


def compared_markdown(versions: Sequence[Version]) -> str:
    """Parameters and metrics of a few versions, each in a column, the first one's first."""
    seen = list({version.id: version for version in versions}.values())
    lines = {"**parameters**": [version.provenance.parameters for version in seen]}
    lines["**metrics**"] = [version.metrics for version in seen]
    head = ["", *(f"`{version.id}`" for version in seen)]
    rows = [head, ["---"] * len(head)]
    for title, values in lines.items():
        names = list(dict.fromkeys(name for given in values for name in given))
        rows += [[title, *([""] * len(seen))]] if names else []
        rows += [[name, *(shown(given.get(name)) for given in values)] for name in names]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def shown(value: Any) -> str:
    """A number or text as a person reads it."""
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
