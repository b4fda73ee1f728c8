"""The backend that steps run on which name none."""

import os
import shutil
from collections.abc import Iterator

from platform_core.doctor.findings import Finding, fine, wrong


def look_at_backend() -> Iterator[Finding]:
    """Whether the engine, cluster or queue of HEADRACE_COMPUTE answers."""
    name = os.environ.get("HEADRACE_COMPUTE") or "local"
    part = f"backend {name}"
    match name:
        case "local":
            free = shutil.disk_usage(os.getcwd()).free / 1e9
            yield fine(part, f"Steps run on this machine: {os.cpu_count()} processors, {free:.0f} GB of disk free.")
        case "container":
            from platform_core.compute.backends.container.reach import reach as reach_engine

            yield fine(part, reach_engine())
        case "kubernetes":
            from platform_core.compute.backends.kubernetes.reach import reach as reach_cluster

            yield fine(part, reach_cluster(os.environ.get("HEADRACE_KUBERNETES_NAMESPACE") or "default"))
        case "batch":
            from platform_core.compute.backends.batch.reach import reach as reach_queue

            yield fine(part, reach_queue(os.environ.get("HEADRACE_BATCH_QUEUE") or ""))
        case _:
            yield wrong(part, f"HEADRACE_COMPUTE={name} is no backend: use local, container, kubernetes or batch.")
