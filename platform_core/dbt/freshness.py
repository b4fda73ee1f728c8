"""The freshness that dbt's sources ask for, as asset checks of what they are."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from platform_core.dbt.described import manifest_of
from platform_core.dbt.project import parsed_project
from platform_core.errors import DefinitionError

CHECK = "freshness"
PERIODS = ("warn_after", "error_after")


def dbt_freshness(location: str, cron: str = "0 * * * *") -> dg.AssetChecksDefinition:
    """A check `freshness` of each source in `models/<location>` that says `freshness:`, made at every tick of `cron`.

    Older than `warn_after` fails as a warning, older than `error_after` as an error. `loaded_at_field` or
    `loaded_at_query` say what counts; `{{ written_at() }}` as the latter is when the newest version was written.

    Raises:
        DefinitionError: no source says so, or one does not say what counts.
    """
    parsed = parsed_project()
    sources = {str(_key(node)): node for node in _asking(manifest_of(parsed), location)}
    if not sources:
        raise DefinitionError(f"No source in dbt_project/models/{location} says freshness: warn_after or error_after.")

    @dg.multi_asset_check(
        name=f"{location}_dbt_freshness", specs=[_spec(node, cron) for node in sources.values()], can_subset=True
    )
    def freshness(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        wanted = [sources[str(key.asset_key)] for key in context.selected_asset_check_keys]
        yield from _results(parsed, wanted)

    return freshness


def _asking(manifest: Mapping[str, Any], location: str) -> Iterator[Mapping[str, Any]]:
    for node in manifest["sources"].values():
        periods = node.get("freshness") or {}
        if node["fqn"][1] != location or not any((periods.get(name) or {}).get("count") for name in PERIODS):
            continue
        if not (node.get("loaded_at_field") or node.get("loaded_at_query")):
            raise DefinitionError(
                f"{node['source_name']}.{node['name']} ({node['original_file_path']}) asks for freshness without saying"
                ' what counts: add loaded_at_field: <column>, or loaded_at_query: "{{ written_at() }}".'
            )
        yield node


def _key(node: Mapping[str, Any]) -> dg.AssetKey:
    return dg.AssetKey([node["source_name"], node["name"]])


def _spec(node: Mapping[str, Any], cron: str) -> dg.AssetCheckSpec:
    asked = node["freshness"]
    told = [f"{name}: {asked[name]['count']} {asked[name]['period']}" for name in PERIODS if asked.get(name)]
    # Not `on_cron`, which waits until what is checked was updated: it is told of what was not.
    tick: dg.AutomationCondition[Any] = dg.AutomationCondition.cron_tick_passed(cron)
    return dg.AssetCheckSpec(
        CHECK,
        asset=_key(node),
        description=f"Not too old for what is written in SQL, {', '.join(told)}.",
        automation_condition=tick.since_last_handled() & ~dg.AutomationCondition.in_progress(),
    )


def _results(parsed: Path, nodes: list[Mapping[str, Any]]) -> Iterator[dg.AssetCheckResult]:
    from platform_core.dbt.invocation import results_of_freshness

    select = " ".join(f"source:{node['source_name']}.{node['name']}" for node in nodes)
    for item in results_of_freshness(parsed, select):
        loaded, hours = getattr(item, "max_loaded_at", None), getattr(item, "age", 0) / 3600
        told = (
            f"Loaded at {loaded:%Y-%m-%d %H:%M}, {hours:,.1f} hours ago."
            if loaded
            else " ".join(str(item.message).split())
        )
        yield dg.AssetCheckResult(
            passed=item.status == "pass",
            check_name=CHECK,
            asset_key=dg.AssetKey([item.node.source_name, item.node.name]),
            severity=dg.AssetCheckSeverity.WARN if item.status == "warn" else dg.AssetCheckSeverity.ERROR,
            description=told,
        )
