"""What a branch still has to compute: partitions whose values its code would make differently than what is shown."""

from collections.abc import Mapping, Sequence

from platform_core.branches.plan import Description
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import UNPARTITIONED, InputVersion, Shown, Version
from platform_core.namespaces import PRODUCTION, Namespace

Wanted = dict[str, list[str]]  # by asset the partitions, none of which is `UNPARTITIONED` where it has some


def pending(catalog: Catalog, namespace: Namespace, assets: Mapping[str, Description], order: Sequence[str]) -> Wanted:
    """By asset, upstream before downstream, the partitions to compute: those that production shows, or can, and that
    the namespace has not computed yet with this code, in this environment, from what it shows now.
    """
    wanted: Wanted = {}
    for asset in order:
        shown = catalog.resolve(namespace, asset)
        keys = _possible(catalog, assets, asset, wanted)
        stale = [key for key in keys if key not in shown or _is_stale(shown[key], namespace, assets[asset])]
        inputs = _moved_inputs(catalog, namespace, [shown[key] for key in keys if key in shown], wanted)
        if keys := [key for key in keys if key in stale or key in inputs]:
            wanted[asset] = keys
    return wanted


def _possible(catalog: Catalog, assets: Mapping[str, Description], asset: str, wanted: Wanted) -> list[str]:
    """What production shows of the asset; of a new one what there is of what it reads."""
    known: Sequence[str] = assets[asset]["keys"] or [UNPARTITIONED]
    shown = set(catalog.resolve(PRODUCTION, asset))
    if not shown:
        upstream = [name for name in assets[asset]["reads"] if assets.get(name, {}).get("keys")]
        for name in upstream if assets[asset]["keys"] else ():
            shown |= set(catalog.resolve(PRODUCTION, name)) | set(wanted.get(name, ()))
        shown = shown or set(known)
    return [key for key in known if key in shown]


def _is_stale(shown: Shown, namespace: Namespace, description: Description) -> bool:
    return shown.shown_by != str(namespace) or not is_made_by(shown.version, description)


def is_made_by(version: Version, description: Description) -> bool:
    """Whether a version was computed by the code and in the environment of a description."""
    made = version.provenance
    return (made.code_version, made.environment) == (description["code"] or "", description["environment"])


def _moved_inputs(catalog: Catalog, namespace: Namespace, shown: Sequence[Shown], wanted: Wanted) -> set[str]:
    """The partitions that were computed from something else than the namespace shows now, or is about to compute."""
    read = {(item.asset, item.partition) for one in shown for item in one.version.provenance.inputs}
    refs = {(ref.asset, ref.partition): ref.version for ref in catalog.shown_refs(namespace, read)} if read else {}

    def moved(item: InputVersion) -> bool:
        return refs.get((item.asset, item.partition)) != item.version or item.partition in wanted.get(item.asset, ())

    return {one.version.partition for one in shown if any(moved(item) for item in foreign_inputs(one.version))}


def foreign_inputs(version: Version) -> list[InputVersion]:
    """What a version was computed from, without the one before it, from which an incremental model goes on: that one
    is never shown any more.
    """
    place = version.asset, version.partition
    return [item for item in version.provenance.inputs if (item.asset, item.partition) != place]


def descriptions_shown(catalog: Catalog, branch: Mapping[str, Description]) -> dict[str, Description]:
    """What production's newest versions say of the code that computed them, where that code cannot tell it itself.

    What versions do not say is taken to be as on the branch, and an asset without a version to be new.
    """
    newest = {asset: catalog.history(PRODUCTION, asset, limit=1) for asset in branch}
    made = {asset: shown[0].version.provenance for asset, shown in newest.items() if shown}
    return {
        asset: {**branch[asset], "code": origin.code_version, "environment": origin.environment}
        for asset, origin in made.items()
    }
