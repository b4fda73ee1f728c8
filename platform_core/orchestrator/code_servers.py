"""Code servers: started one by one, and asked whether they have loaded their location."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from platform_core.dagster_internals import (
    DagsterUserCodeProcessError,
    DagsterUserCodeUnreachableError,
    SerializableErrorInfo,
    deserialize_value,
)
from platform_core.errors import SettingsError
from platform_core.orchestrator.errors import in_a_line


def local_locations(workspace: Path) -> dict[str, Mapping[str, Any]]:
    """The locations of a workspace.yaml, with what the UI tells of their code."""
    return {origin.location_name: origin.loadable_target_origin.as_dict for origin in _origins(workspace)}


def _origins(workspace: Path) -> Sequence[Any]:
    from platform_core.dagster_internals import WorkspaceFileTarget

    return list(WorkspaceFileTarget([str(workspace)]).create_origins())


def local_code_server(instance: dg.DagsterInstance, workspace: Path, name: str) -> Any:
    """The running code server of one location of a workspace.yaml: its `socket`, and a context manager to end it.

    It reloads its code when asked, as `dagster dev` has them. Publicly there are only all together, which wait for
    each other.

    Raises:
        SettingsError: it did not start, nor say why, within the instance's time.
    """
    from platform_core.dagster_internals import ProxyServerManager, WorkspaceLoadTarget

    class Only(WorkspaceLoadTarget):
        def create_origins(self) -> Any:
            return [origin for origin in _origins(workspace) if origin.location_name == name]

    class Server(ProxyServerManager):
        socket = ""

    server = Server(instance, Only(), "WARNING")
    try:
        server.socket = server.get_code_server_specs()[0]["grpc_server"]["socket"]
    except DagsterUserCodeProcessError as error:
        server.__exit__(None, None, None)
        raise SettingsError(str(error).strip().partition(" with the command:")[0]) from error  # which has all settings
    return server


def code_server_answers(socket: Path) -> bool:
    from platform_core.dagster_internals import DagsterGrpcClient

    try:
        DagsterGrpcClient(socket=str(socket)).ping("")
    except DagsterUserCodeUnreachableError:
        return False
    return True


def location_served_at(host: str, port: int | None, socket: str | None) -> str:
    """What is wrong with a code server; nothing when it answers and its code was loaded."""
    from platform_core.dagster_internals import DagsterGrpcClient

    client = DagsterGrpcClient(host=host, port=port, socket=socket)
    try:
        client.ping("")
        answer: Any = deserialize_value(client.list_repositories())
    except DagsterUserCodeUnreachableError:
        return "nobody answers there; its pod or process may have ended."
    if not isinstance(answer, SerializableErrorInfo):
        return ""
    return f"its code cannot be loaded: {in_a_line(answer)}"
