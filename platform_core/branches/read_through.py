"""What a branch reads through from production, told to the branch's own Dagster instance: without it everything would
look as if it had never been computed, and automation that is switched on would compute it again.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import InputVersion, Version
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.orchestrator.event_log import report_materializations

TOLD = "headrace/told_of_production"  # under it the instance keeps the pin as of which it was told
PRODUCTION_TAG = "headrace/production"  # on an event: the transaction by which production came to show the version
# By these tags Dagster knows which data and which code an event that no run told is about, and what it was made from.
DATA_VERSION_TAG, CODE_VERSION_TAG = "dagster/data_version", "dagster/code_version"
INPUT_TAG, POINTER_TAG, NO_POINTER = "dagster/input_data_version/", "dagster/input_event_pointer/", "NULL"


def tell_of_production(instance: dg.DagsterInstance, catalog: Catalog, branch: Namespace) -> int:
    """Reports what a branch shows of production and its instance has not been told yet; how much that was.

    What the branch has of its own is left alone. Namespaces that are no branches with a pin are, too: production moves
    under them at any moment.
    """
    pin = catalog.namespace(branch).pin if catalog.branch(branch) else None
    if pin is None or (told := _told(instance)) == pin:
        return 0
    new = _shown_since(catalog, branch, told)
    content = contents_read(catalog, [version for version, _ in new])
    events = [(version.created_at, _event(version, number, content)) for version, number in new]
    # At once: who looked at the half of it would take what is missing for something to compute.
    report_materializations(instance, sorted(events, key=lambda item: item[0]))
    instance.daemon_cursor_storage.set_cursor_values({TOLD: str(pin)})
    return len(events)


def _told(instance: dg.DagsterInstance) -> int | None:
    found = instance.daemon_cursor_storage.get_cursor_values({TOLD}).get(TOLD)
    return None if found is None else int(found)


def _shown_since(catalog: Catalog, branch: Namespace, told: int | None) -> list[tuple[Version, int]]:
    """Versions of production that the branch shows, each with the transaction since which production does; only those
    that are others than as of an earlier pin.
    """
    places = None if told is None else catalog.places_changed(PRODUCTION, told)
    refs = [ref for ref in catalog.shown_refs(branch, places) if ref.namespace == str(PRODUCTION)]
    numbers = {ref.version: ref.transaction for ref in refs if ref.version and ref.transaction > (told or 0)}
    return [(version, numbers[version.id]) for version in catalog.versions(sorted(numbers))]


def _event(version: Version, number: int, content: Mapping[str, str]) -> dg.AssetMaterialization:
    metadata: dict[str, Any] = {
        "headrace/version": version.id,
        "headrace/namespace": version.namespace,
        "headrace/transaction": number,
    }
    return dg.AssetMaterialization(
        asset_key=dg.AssetKey.from_user_string(version.asset),
        partition=version.partition or None,
        description=f"Read from production, which shows it since transaction {number}.",
        metadata=metadata if version.rows is None else {**metadata, "dagster/row_count": version.rows},
        tags={**tags_of(version, content), PRODUCTION_TAG: str(number)},
    )


def contents_read(catalog: Catalog, made: Iterable[Version]) -> dict[str, str]:
    """By id the data versions of what versions were computed from."""
    read = {item.version for version in made for item in version.provenance.inputs}
    return {version.id: version.data_version for version in catalog.versions(sorted(read))}


def tags_of(version: Version, content: Mapping[str, str]) -> dict[str, str]:
    """By which Dagster knows what data a version is, and whether something that it was computed from changed since.

    Args:
        content: what `contents_read` gives.
    """
    made = version.provenance
    tags = {DATA_VERSION_TAG: version.data_version, CODE_VERSION_TAG: made.code_version}
    for asset, read in _by_asset(made.inputs).items():
        tags[INPUT_TAG + asset] = content.get(read[-1].version, "")
        tags[POINTER_TAG + asset] = NO_POINTER
    return tags


def _by_asset(inputs: Iterable[InputVersion]) -> Mapping[str, Sequence[InputVersion]]:
    found: dict[str, list[InputVersion]] = defaultdict(list)
    for item in inputs:
        found[item.asset].append(item)
    return found
