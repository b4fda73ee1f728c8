"""How things stand in a Dagster instance at the moment: runs by status, the queue, the daemons."""

import time
from collections.abc import Iterator

import dagster as dg
from prometheus_client.core import GaugeMetricFamily

from platform_core.orchestrator.daemons import daemon_beats


def runs_by_status(instance: dg.DagsterInstance) -> Iterator[GaugeMetricFamily]:
    family = GaugeMetricFamily("headrace_runs", "Runs that are kept, by status.", labels=["status"])
    for status in dg.DagsterRunStatus:
        family.add_metric([status.value.lower()], instance.get_runs_count(dg.RunsFilter(statuses=[status])))
    yield family


def queue(instance: dg.DagsterInstance) -> Iterator[GaugeMetricFamily]:
    queued = dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED])
    length = instance.get_runs_count(queued)
    yield GaugeMetricFamily("headrace_queue_length", "Runs that wait in the queue.", value=length)
    oldest = instance.get_run_records(queued, limit=1, ascending=True)
    waited = time.time() - oldest[0].create_timestamp.timestamp() if oldest else 0.0
    yield GaugeMetricFamily(
        "headrace_queue_oldest_seconds", "How long the oldest of them waits already.", value=max(0.0, waited)
    )


def daemons(instance: dg.DagsterInstance) -> Iterator[GaugeMetricFamily]:
    family = GaugeMetricFamily(
        "headrace_daemon_silent_seconds", "Since a part of the daemon was heard of last.", labels=["daemon"]
    )
    for name, beat in daemon_beats(instance).items():
        family.add_metric([name], max(0.0, time.time() - beat))
    yield family
