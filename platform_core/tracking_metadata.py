"""Between Dagster's metadata and what a version keeps: figures, parameters, and what goes on the card of a model."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from platform_core.catalog.values import Version
from platform_core.layering import LAYER_TAG
from platform_core.namespaces import Namespace
from platform_core.store.figures import NOTEBOOK, as_markdown, in_markdown, read_figures
from platform_core.store.store import Store
from platform_core.tracking.cards import card
from platform_core.tracking.comparing import compared_markdown
from platform_core.tracking.executed import EXECUTED, held
from platform_core.tracking.kept import CARD, CHECKS, LIMITS, PARAMETERS, SERIES
from platform_core.tracking.record import Plain, flat

if TYPE_CHECKING:
    from platform_core.catalog.catalog import Catalog

KEPT_AS_THEY_ARE = (SERIES, CHECKS)


def kept_figures(metadata: Mapping[str, Any]) -> dict[str, bytes]:
    """The pictures among the metadata of an output: what was logged, or given as Markdown that is one picture.

    And the notebook that was executed for it.
    """
    texts = {name: value.value for name, value in metadata.items() if isinstance(value, dg.MarkdownMetadataValue)}
    drawn = {name: in_markdown(text) for name, text in texts.items() if text}
    executed = held(str(getattr(metadata.get(EXECUTED), "value", "")))
    kept = {name: picture for name, picture in drawn.items() if picture is not None}
    return kept | ({NOTEBOOK: executed} if executed else {})


def kept_parameters(config: Any, metadata: Mapping[str, Any]) -> dict[str, Plain]:
    """What a value was computed with: the config of its step, and what its function logged."""
    logged = getattr(metadata.get(PARAMETERS), "value", {})
    return flat(config if isinstance(config, Mapping) else {}) | flat(logged)


def kept_metadata(metadata: Mapping[str, Any], node: Any) -> dict[str, Any]:
    """What a version keeps besides numbers and texts: series, and of a model what its card needs.

    Args:
        node: the asset as the graph of its job knows it.
    """
    kept = {name: metadata[name].value for name in KEPT_AS_THEY_ARE if name in metadata}
    return kept | ({CARD: _of_definition(node)} if node.tags.get(LAYER_TAG) == "model" else {})


def _of_definition(node: Any) -> dict[str, Any]:
    limits = getattr(node.metadata.get(LIMITS), "value", node.metadata.get(LIMITS)) or ()
    return {
        "about": node.description or "",
        "owners": list(node.owners),
        "limits": [limits] if isinstance(limits, str) else list(limits),
    }


def told_of_models(catalog: "Catalog", namespace: Namespace, drafts: Sequence[Version]) -> dict[str, Any]:
    """The card of a model that is about to be committed, and how it compares with what it follows, for the UI."""
    if len(drafts) != 1 or CARD not in drafts[0].metadata:
        return {}
    (model,) = drafts
    told = {CARD: dg.MetadataValue.md(card(catalog, model))}
    before = catalog.resolve(namespace, model.asset, [model.partition])
    rivals = [before[model.partition].version] if before else []
    rivals += catalog.versions([alias.version for alias in catalog.aliases(namespace, model.asset) if alias.version])
    table = compared_markdown([model, *rivals])
    return told | ({"headrace/compared": dg.MetadataValue.md(table)} if rivals else {})


def tracked_metadata(store: Store, version: Version) -> dict[str, Any]:
    """What was logged of a version that exists, as metadata of another event about it."""
    figures = {
        name: dg.MetadataValue.md(as_markdown(name, drawn)) for name, drawn in read_figures(store, version).items()
    }
    return {**version.metrics, **figures}
