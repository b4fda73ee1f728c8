"""Loads the definitions of one location."""

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

import dagster as dg

from platform_core.auditing.publication import require_audited
from platform_core.errors import DefinitionError


@dataclass(frozen=True)
class LoadedLocation:
    name: str
    module: str
    attribute: str
    definitions: dg.Definitions

    @cached_property
    def job(self) -> dg.JobDefinition:
        """The job that holds every asset of the location: the one that the UI uses too."""
        return self.definitions.resolve_implicit_global_asset_job_def()

    @cached_property
    def graph(self) -> Any:
        return self.definitions.resolve_asset_graph()

    @cached_property
    def keys(self) -> list[dg.AssetKey]:
        """The assets that the location can materialise, upstream before downstream."""
        return [key for key in self.graph.toposorted_asset_keys if self.graph.get(key).is_materializable]


def load_location(name: str, module: str) -> LoadedLocation:
    """Imports the module and finds its one `dg.Definitions`."""
    found = {name: value for name, value in vars(import_module(module)).items() if isinstance(value, dg.Definitions)}
    if len(found) != 1:
        raise DefinitionError(
            f"{module} has {len(found)} Definitions; a location has exactly one: defs = build_location(...)."
        )
    [(attribute, definitions)] = found.items()
    require_audited(definitions)
    return LoadedLocation(name, module, attribute, definitions)
