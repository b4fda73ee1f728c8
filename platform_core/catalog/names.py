"""What a person means by the name of an asset."""

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.marking import is_alias
from platform_core.catalog.values import Version
from platform_core.errors import NotFoundError, did_you_mean
from platform_core.namespaces import Namespace


def full_name(catalog: Catalog, text: str) -> str:
    """The name of the asset that a person means: in full, or its last part when only one asset has it."""
    known = catalog.assets()
    fitting = [name for name in known if name == text or name.rpartition("/")[2] == text]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise NotFoundError(f"'{text}' may be {' or '.join(fitting)}; give the name in full.")
    hint = did_you_mean(text, [*known, *(name.rpartition("/")[2] for name in known)])
    raise NotFoundError(f"No asset '{text}' was ever materialised here.{hint}")


def named_version(catalog: Catalog, namespace: Namespace, text: str, partition: str | None = None) -> Version:
    """The version that a person means: `ASSET@ID` is any one (a part of the id will do), `ASSET@ALIAS` the one of that
    name, such as `ASSET@champion`, and `ASSET` the current one.

    Args:
        partition: of which partition the current one; otherwise of the last.
    """
    name, _, wanted = text.partition("@")
    asset = full_name(catalog, name)
    if not wanted:
        return _current(catalog, namespace, asset, partition)
    if not is_alias(wanted):
        return catalog.version(wanted, asset)
    known = {alias.name: alias.version for alias in catalog.aliases(namespace, asset)}
    if (meant := known.get(wanted)) is not None:
        return catalog.version(meant, asset)
    try:
        return catalog.version(wanted, asset)
    except NotFoundError as error:
        raise NotFoundError(
            f"{namespace} has no alias '{wanted}' of {asset}, and there is no such version;"
            f" `headrace versions {asset}` lists those there are."
            f"{did_you_mean(wanted, known)}"
        ) from error


def _current(catalog: Catalog, namespace: Namespace, asset: str, partition: str | None) -> Version:
    if partition is not None and (one := catalog.resolve(namespace, asset, [partition])):
        return one[partition].version
    found = catalog.resolve(namespace, asset)
    if partition is None and found:
        return found[max(found)].version
    of = f"partition {partition} of {asset}" if partition else asset
    raise NotFoundError(f"{namespace} shows no version of {of}.{did_you_mean(partition or '', found)}")
