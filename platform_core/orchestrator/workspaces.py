"""The workspace of a webserver, whose requests carry who asks."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import dagster as dg

from platform_core.dagster_internals import GrpcServerCodeLocationOrigin, SerializableErrorInfo, replace
from platform_core.errors import SettingsError

if TYPE_CHECKING:
    from platform_core.dagster_internals import RemoteAssetGraph


def workspace_of_file(instance: dg.DagsterInstance, path: Path, asking: type) -> Any:
    """What a webserver shows: the locations of a workspace.yaml, together with an instance. To be closed.

    Args:
        asking: mixed into each request context, which is what Dagster asks for permissions.
    """
    from platform_core.dagster_internals import WorkspaceFileTarget

    return workspace_of(instance, WorkspaceFileTarget([str(path)]), asking)


class ServedLocations(Protocol):
    """Code servers that run already."""

    @property
    def specs(self) -> Sequence[Mapping[str, Any]]:
        """Where they are, as a workspace.yaml would say it."""
        ...

    def reload(self, name: str) -> bool:
        """Makes a server ready to serve new code, and says whether it is still to be asked to load it."""
        ...

    def problem(self, name: str) -> str:
        """Why a location has no server, in a sentence; empty where it has one."""
        ...


def served_workspace(
    instance: dg.DagsterInstance,
    code: ServedLocations,
    asking: type,
    production: "Callable[[], RemoteAssetGraph[Any] | None]" = lambda: None,
) -> Any:
    """The same of code servers that run already.

    Publicly the path by which the UI marks what is new or changed ends nowhere.

    Args:
        production: the assets that those of the locations are compared with.
    """
    from platform_core.dagster_internals import WorkspaceLoadTarget

    class Servers(WorkspaceLoadTarget):
        def create_origins(self) -> Any:
            return [GrpcServerCodeLocationOrigin(**server["grpc_server"]) for server in code.specs]

    return workspace_of(instance, Servers(), asking, code, production)


def workspace_of(
    instance: dg.DagsterInstance,
    target: Any,
    asking: type,
    code: "ServedLocations | None" = None,
    production: "Callable[[], RemoteAssetGraph[Any] | None]" = lambda: None,
) -> Any:
    from platform_core.dagster_internals import WorkspaceProcessContext, WorkspaceRequestContext

    class Request(asking, WorkspaceRequestContext):  # type: ignore[misc]
        @cached_property  # it is asked for once for each asset
        def _production(self) -> Any:
            return production()

        def get_base_deployment_asset_graph(self, repository_selector: Any) -> Any:  # noqa: ARG002
            return self._production

    class Workspace(WorkspaceProcessContext):
        def _load_location(self, origin: Any, reload: bool) -> Any:
            if reload and code is not None:
                reload = code.reload(origin.location_name)
            entry = super()._load_location(origin, reload=reload)
            sentence = code.problem(origin.location_name) if entry.load_error and code is not None else ""
            told = SerializableErrorInfo(sentence, [], SettingsError.__name__)
            return replace(entry, load_error=told) if sentence else entry

        def create_request_context(self, source: object | None = None) -> WorkspaceRequestContext:
            return Request(self.instance, self.get_current_workspace(), self, self.version, source, self.read_only)

    return Workspace(instance, target, version=dg.__version__)
