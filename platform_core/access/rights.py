"""What a user may do in a deployment. Pure: knows names of permissions, but no Dagster."""

from collections.abc import Mapping
from dataclasses import dataclass

from platform_core.access.identity import ADMIN, PRODUCTION, Identity
from platform_core.namespaces import Namespace

# What a team may do in its own location wherever it is shown: compute, stop computing, and try what it declares.
OF_TEAMS = frozenset(
    {
        "launch_pipeline_execution",
        "launch_pipeline_reexecution",
        "terminate_pipeline_execution",
        "launch_partition_backfill",
        "cancel_partition_backfill",
        "schedule_dry_run",
        "sensor_dry_run",
    }
)


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is shown: a namespace, who owns it, and which team owns which of its locations.

    Args:
        teams: by name of a location its owner, such as `team:flight-operations`.
    """

    namespace: Namespace
    owner: str
    teams: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rights:
    """What somebody may do in a deployment; nobody may do anything."""

    deployment: Deployment
    identity: Identity | None

    @property
    def everywhere(self) -> bool:
        """Whether nothing in the deployment is forbidden."""
        if self.identity is None:
            return False
        if ADMIN in self.identity.roles:
            return True
        in_production = self.deployment.namespace.is_production
        return PRODUCTION in self.identity.roles if in_production else self._owns(self.identity.user)

    def _owns(self, user: str) -> bool:
        """A personal namespace is its user's before anything was written to it."""
        deployment = self.deployment
        personal = deployment.namespace.kind == "user" and Namespace.of_user(user) == deployment.namespace
        return personal or user == deployment.owner

    def allow(self, permission: str, location: str | None) -> bool:
        """Whether something may be done in a location; None: in the deployment as a whole."""
        if self.everywhere:
            return True
        if location is None or self.identity is None or not self.deployment.namespace.is_production:
            return False
        team = self.deployment.teams.get(location)
        return bool(team) and team in self.identity.roles and permission in OF_TEAMS

    def reason(self, permission: str, location: str | None) -> str:
        """Why something is refused, and who may do it."""
        deployment = self.deployment
        if not deployment.namespace.is_production:
            return f"Only {deployment.owner or 'its owner'}, who owns {deployment.namespace}, may change it."
        team = deployment.teams.get(location or "")
        if permission in OF_TEAMS and team:
            return f"Only {team} and the role {PRODUCTION} may do this in the location {location}."
        return f"This changes production, which needs the role {PRODUCTION}."


NOBODY = Rights(Deployment(Namespace("production"), "", {}), None)
