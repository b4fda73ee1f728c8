"""The request context of Dagster's webserver, which answers for each permission whether who asks has it."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from platform_core.access.rights import Rights
from platform_core.access.stamps import USER, StampedBackfills
from platform_core.dagster_internals import EDITOR_PERMISSIONS, LOCATION_SCOPED_PERMISSIONS, PermissionResult

if TYPE_CHECKING:
    from platform_core.dagster_internals import BaseWorkspaceRequestContext as _Base
else:
    _Base = object


class Permitted(_Base):
    """Mixed into a request context: it may do what its `rights` say, and nothing until they were set."""

    rights: Rights | None = None
    _backfill_tags: Mapping[str, str] | None = None

    def may(self, permission: str, location: str | None) -> bool:
        """Whether something may be done in a location, or in the deployment as a whole.

        In a location that is not served, that takes the right to do it everywhere.
        """
        if location is None or not self.has_code_location_name(location):
            return self.permissions[permission].enabled
        granted = self.permissions_for_location(location_name=location).get(permission)
        return granted is not None and granted.enabled

    def stamp_backfills(self, tags: Mapping[str, str]) -> None:
        """Lets backfills that this request adds have some tags, which Dagster would copy from another backfill."""
        self._backfill_tags = tags

    @property
    def instance(self) -> Any:
        found: Any = super().instance  # type: ignore[safe-super]
        return found if self._backfill_tags is None else StampedBackfills(found, self._backfill_tags)

    def _permission(self, name: str, location: str | None) -> PermissionResult:
        if not EDITOR_PERMISSIONS[name]:  # what only Dagster+ can do
            return PermissionResult(False, "Not part of open-source Dagster.")
        allowed = self.rights is not None and self.rights.allow(name, location)
        return PermissionResult(allowed, None if allowed else self._reason(name, location))

    def _reason(self, name: str, location: str | None) -> str:
        return self.rights.reason(name, location) if self.rights else "Nobody may do this."

    @cached_property
    def _whole(self) -> Mapping[str, PermissionResult]:
        return {name: self._permission(name, None) for name in EDITOR_PERMISSIONS}

    @cached_property
    def _by_location(self) -> dict[str, Mapping[str, PermissionResult]]:
        return {}

    @property
    def permissions(self) -> Mapping[str, PermissionResult]:
        return self._whole

    def permissions_for_location(self, *, location_name: str) -> Mapping[str, PermissionResult]:
        if location_name not in self._by_location:
            names: Iterable[str] = LOCATION_SCOPED_PERMISSIONS
            self._by_location[location_name] = {name: self._permission(name, location_name) for name in names}
        return self._by_location[location_name]

    def permissions_for_owner(self, *, owner: str) -> Mapping[str, PermissionResult]:  # noqa: ARG002
        return {}  # rights go by location

    @property
    def show_instance_config(self) -> bool:
        """Settings of the instance are for those who may change it."""
        return self.rights is not None and self.rights.everywhere

    def get_reporting_user_tags(self) -> dict[str, str]:
        return self.get_viewer_tags()

    def get_viewer_tags(self) -> dict[str, str]:
        return {USER: self.rights.identity.user} if self.rights and self.rights.identity else {}

    def reload_code_location(self, name: str) -> Any:
        self.process_context.reload_code_location(name)
        return self._anew()

    def reload_workspace(self) -> Any:
        self.process_context.reload_workspace()
        return self._anew()

    def _anew(self) -> Any:
        """The context after a change, of the same user: Dagster's own way makes one of nobody."""
        context: Any = self.process_context.create_request_context(getattr(self, "source", None))
        context.rights = self.rights
        return context
