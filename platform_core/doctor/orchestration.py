"""Dagster: its storage, its daemon, the code servers that others start."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from platform_core.daemon.lease import Leadership, Lease
from platform_core.doctor.findings import Finding, fine, wrong
from platform_core.instance import in_database, prepare_dagster_home
from platform_core.instance_settings import instance_settings
from platform_core.orchestrator.code_servers import location_served_at
from platform_core.orchestrator.daemons import daemon_beats, wanted_daemons
from platform_core.settings import Settings

SILENT = 120.0  # seconds after which a daemon that should be heard of every half minute counts as gone
START = "start it with: headrace ui, or headrace daemon"


def look_at_dagster(settings: Settings) -> Iterator[Finding]:
    """The storage of the namespace's instance, and the daemons that it needs."""
    home = prepare_dagster_home(settings)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        queued = instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]))
        yield fine("Dagster's storage", f"{_where(instance)} answers; {queued} runs are queued.")
        yield from _daemons(instance, needed=settings.writes_to.is_production)
    if in_database(settings.writes_to):
        chosen = instance_settings()
        lease = Lease(chosen.url_of(settings.writes_to), "", chosen.daemon_lease)
        yield from _leadership(lease.leadership(), lease.seconds)


def _where(instance: dg.DagsterInstance) -> str:
    kind = type(instance.event_log_storage).__name__
    return "PostgreSQL" if "Postgres" in kind else f"SQLite in {instance.root_directory}"


def _daemons(instance: dg.DagsterInstance, *, needed: bool) -> Iterator[Finding]:
    """Outside production nobody has to be there while nobody looks."""
    beats, now = daemon_beats(instance), time.time()
    wanted = wanted_daemons(instance)
    missing = sorted(name for name in wanted if name not in beats)
    silent = {name: now - beats[name] for name in wanted if name in beats and now - beats[name] > SILENT}
    if len(missing) == len(wanted):
        sentence = f"No daemon was ever heard of, so that runs stay in the queue: {START}"
        yield wrong("daemon", sentence) if needed else Finding("daemon", "unknown", sentence)
        return
    for name in missing:
        yield wrong("daemon", f"The daemon {name} was never heard of: {START}")
    for name, seconds in sorted(silent.items()):
        yield wrong("daemon", f"The daemon {name} was last heard of {_ago(seconds)}: {START}")
    if not missing and not silent:
        yield fine("daemon", f"All {len(wanted)} daemons were heard of within {SILENT:.0f} s.")


def _leadership(found: Leadership | None, seconds: float) -> Iterator[Finding]:
    part = "lease of the daemon"
    others = ", ".join(found.standing_by) if found else ""
    if found is None:
        yield Finding(part, "unknown", "No daemon ever asked for it.")
    elif not found.leader:
        follows = f"within seconds one of these takes it: {others}" if others else START
        yield wrong(part, f"Nobody holds it, so that nothing is scheduled: {follows}")
    elif not others:
        sentence = f"{found.leader} leads and nobody stands by: a second `headrace daemon`, elsewhere, would take over"
        yield Finding(part, "unknown", f"{sentence} {seconds:.0f} s after the last sign of the first.")
    else:
        yield fine(part, f"{found.leader} leads, with lease {found.token}; there stands by: {others}.")


def _ago(seconds: float) -> str:
    minutes, hours = seconds / 60, seconds / 3600
    return f"{minutes:.0f} minutes ago" if hours < 2 else f"{hours:.0f} hours ago"  # noqa: PLR2004


def look_at_code_servers(workspace: Path) -> Iterator[Finding]:
    """The code servers that a workspace.yaml says others start; those of this machine start when they are needed."""
    if not workspace.is_file():
        yield wrong("code servers", f"{workspace} does not exist.")
        return
    entries: list[dict[str, Any]] = yaml.safe_load(workspace.read_text()).get("load_from") or []
    for server in (entry["grpc_server"] for entry in entries if "grpc_server" in entry):
        name = server.get("location_name") or server.get("host", "")
        place = server.get("socket") or f"{server.get('host', 'localhost')}:{server.get('port')}"
        problem = location_served_at(server.get("host", "localhost"), server.get("port"), server.get("socket"))
        part = f"code server {name}"
        yield wrong(part, f"{place}: {problem}") if problem else fine(part, f"{place} answers and has loaded its code.")
