"""What the deployment under test offers, as a text that travels to run workers by a variable.

Where the variable is missing, as in the processes of steps, nobody asks where a step is to run.
"""

import json
import os
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from platform_core.compute.placement import ComputeTable, a_backend
from platform_core.compute.profiles import Limits, Profile

if TYPE_CHECKING:
    from platform_core.compute.backends.backend import Backend

TABLE_VARIABLE = "BEHAVIOUR_TABLE"
SMALL_CPU = 2  # the most that the profile `small` gives


def table() -> ComputeTable:
    """The table that the variable describes: a default, keywords of backends, and of the profiles of the same names."""
    said = json.loads(os.environ.get(TABLE_VARIABLE, "{}"))
    default = a_backend(said.get("default", "local"))
    profiles = {name: Profile(backend=a_backend(name), **given) for name, given in said.get("profiles", {}).items()}
    own: Mapping[str, Any] = said.get("profiles", {}).get(default, {})
    return ComputeTable(
        default=default,
        profiles={**profiles, "default": Profile(**own), "small": Profile(limits=Limits(cpu=SMALL_CPU), **own)},
        backends={a_backend(name): partial(_backend, name, given) for name, given in said.get("backends", {}).items()},
    )


def _backend(name: str, given: Mapping[str, Any]) -> "Backend":
    match name:
        case "container":
            from platform_core.compute.backends.container.backend import ContainerBackend

            return ContainerBackend(**given)
        case "kubernetes":
            from platform_core.compute.backends.kubernetes.backend import KubernetesBackend

            return KubernetesBackend(**given)
        case _:
            from platform_core.compute.backends.batch.backend import BatchBackend

            return BatchBackend(**given)
