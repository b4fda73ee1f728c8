"""Where the engine listens, and what it means when it does not."""

import os
from collections.abc import Callable, Mapping

from platform_core.errors import HeadraceError, listed


class EngineAway(HeadraceError):
    """The engine does not answer; it may later."""


def engine_address(given: str, environment: Mapping[str, str], exists: Callable[[str], bool] = os.path.exists) -> str:
    """The address that was given, that of `DOCKER_HOST`, or the first socket that engines listen at by default.

    Raises:
        EngineAway: there is none of them.
    """
    if address := given or environment.get("DOCKER_HOST", ""):
        return address
    sockets = default_sockets(environment)
    for socket in sockets:
        if exists(socket):
            return f"unix://{socket}"
    raise EngineAway(
        f"There is no container engine here: DOCKER_HOST is not set, and there is no {listed(sockets)}."
        " Start Docker or Podman, or set DOCKER_HOST to where one listens."
    )


def default_sockets(environment: Mapping[str, str]) -> list[str]:
    """Docker's socket, then Docker's and Podman's without root, then Podman's with it."""
    own = environment.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    return ["/var/run/docker.sock", f"{own}/docker.sock", f"{own}/podman/podman.sock", "/run/podman/podman.sock"]


def away(address: str, reason: str) -> EngineAway:
    """An error that says why the engine does not answer, from whatever the libraries below said."""
    for sign, sentence in _SIGNS.items():
        if sign.lower() in reason.lower():
            return EngineAway(sentence.format(address=address, user=os.getuid()))
    return EngineAway(f"The container engine at {address} does not answer ({reason}).")


_NOBODY_LISTENS = "No container engine listens at {address}: start it, or set DOCKER_HOST to where it listens."
_SIGNS: Mapping[str, str] = {
    "Permission denied": "The user with the number {user} may not use the container engine at {address}: add the user"
    " to the socket's group (for Docker `docker`), or set DOCKER_HOST to an engine of the user's own.",
    "No such file": _NOBODY_LISTENS,
    "Connection refused": _NOBODY_LISTENS,
    "FileNotFoundError": _NOBODY_LISTENS,
    "Name or service": "The machine of the container engine at {address} is not known: correct DOCKER_HOST.",
    "timed out": "The container engine at {address} takes too long to answer.",
    "certificate": "The container engine at {address} is not trusted, or does not trust this machine: set"
    " DOCKER_TLS_VERIFY and DOCKER_CERT_PATH.",
}
