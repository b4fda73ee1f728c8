"""What came of an asset that was tried, and the IO manager that keeps its value in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from platform_core.catalog.opening import open_catalog
from platform_core.catalog.values import TRIAL, Shown, Version
from platform_core.event_metadata import plain_metadata
from platform_core.io_manager import HeadraceIOManager, sentences, without_none
from platform_core.settings import current_settings
from platform_core.store.tables import as_polars, is_table
from platform_core.store.values import read_versions
from platform_core.tracking.looking import Found, part
from platform_core.tracking_metadata import kept_parameters
from platform_core.trials.subject import can_be_shared


@dataclass
class Tried:
    """What came of it: a value, or the sentence that says why there is none."""

    value: Any = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    read: dict[str, list[Shown]] = field(default_factory=dict)
    kept: list[Version] = field(default_factory=list)
    sentence: str = ""
    rejected: str = ""


def of_found(found: Found) -> Tried:
    """What a function found that looked by itself."""
    catalog = open_catalog(current_settings().catalog)
    read: dict[str, list[Shown]] = {}
    for version, shown_by in found.read:
        item = Shown(catalog.version(version), shown_by)
        read.setdefault(item.version.asset.rpartition("/")[2], []).append(item)
    kept = [catalog.version(version) for version in found.kept]
    return Tried(found.value, read=read, kept=kept, rejected=found.rejected)


class LookingIOManager(HeadraceIOManager):
    """Reads as every step does, or the versions that were named, and keeps the value in memory."""

    def __init__(self, keep: bool, given: Mapping[str, Version], cache: dict[Any, Any]) -> None:
        super().__init__()
        self._keeps, self._given, self._cache = keep, given, cache
        self.tried = Tried()

    def _resolve(self, context: dg.InputContext) -> list[Shown]:
        if version := self._given.get(context.name):
            shown = [Shown(version, version.namespace)]
        else:
            shown = super()._resolve(context)
        self.tried.read[context.name] = shown
        return shown

    def load_input(self, context: dg.InputContext) -> Any:
        with sentences(), part(f"read {context.name}"):
            shown = self._resolve(context)
            kind, _ = without_none(context.dagster_type.typing_type)
            key = (tuple(item.version.id for item in shown), str(kind))
            if not shown:
                return None
            if key not in self._cache:
                self._cache[key] = read_versions(self._store, [item.version for item in shown], kind)
            return self._cache[key] if can_be_shared(self._cache[key]) else self._cache.pop(key)

    def handle_output(self, context: dg.OutputContext, value: Any) -> None:
        with sentences(), part("result"):
            self.tried.value = as_polars(value) if is_table(value) else value
            self.tried.metadata = dict(context.output_metadata)
            config = context.step_context.op_config
            self.tried.parameters = kept_parameters(config, context.output_metadata)
        if self._keeps and "headrace/rejected" not in plain_metadata(context.output_metadata):
            with sentences(), part("keep"):
                self._keep(context)

    def _keep(self, context: dg.OutputContext) -> None:
        drafts = self._write(context, self.tried.value, _partitions_of(context))
        self.tried.kept = self._catalog.keep(self._settings.writes_to, drafts, {TRIAL: "try"})


def _partitions_of(context: dg.OutputContext) -> list[str]:
    return list(context.asset_partition_keys) if context.has_asset_partitions else [""]
