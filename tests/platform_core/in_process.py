"""Workspaces without code servers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from platform_core.dagster_internals import InProcessCodeLocationOrigin, LoadableTargetOrigin
from platform_core.orchestrator.workspaces import workspace_of


def workspace_in_process(instance: dg.DagsterInstance, path: Path, names: Sequence[str], asking: type) -> Any:
    """What a webserver shows of definitions in a Python file, each a location of its name, without code servers."""
    from platform_core.dagster_internals import InProcessWorkspaceLoadTarget

    targets = [LoadableTargetOrigin(python_file=str(path), attribute=name) for name in names]
    origins = [InProcessCodeLocationOrigin(one, location_name=one.attribute) for one in targets]
    return workspace_of(instance, InProcessWorkspaceLoadTarget(origins), asking)
