"""The container of an order, in the words of the engine's API."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from platform_core.compute.attempts import STEP_VARIABLE, WORKER, Order
from platform_core.compute.backends.container.options import Options
from platform_core.compute.quantities import as_bytes
from platform_core.compute.worker import GRACE_VARIABLE, TIMEOUT_VARIABLE
from platform_core.errors import HeadraceError

ATTEMPT_LABEL = "headrace/attempt"  # on every container of ours
FORCE_AFTER = 5.0  # seconds that the worker has after the grace of its step, before its container is killed
_SHARED = ("namespace", "run")  # labels that two run workers of one run have in common
_NANO = 1_000_000_000
_TMP = "rw,nosuid,nodev,exec,mode=1777"  # exec: compilers such as numba's load what they write there


def specification(
    order: Order, options: Options, *, image: str, secrets: Mapping[str, str], python: str, grace: float
) -> dict[str, Any]:
    """What `POST /containers/create` takes.

    The interpreter is the entrypoint, so that an entrypoint of the image cannot get in between; a health check of the
    image would be started beside the step, so there is none.
    """
    variables = _variables(order, grace) | dict(secrets)
    return {
        "Image": image,
        "Entrypoint": [python],
        "Cmd": list(WORKER),
        "Env": [f"{name}={value}" for name, value in variables.items()],
        "Labels": dict(order.labels) | {ATTEMPT_LABEL: order.attempt.id},
        "User": options.run_as,
        "Healthcheck": {"Test": ["NONE"]},
        "StopSignal": "SIGTERM",
        "StopTimeout": round(grace + FORCE_AFTER),
        "HostConfig": _host_config(order, options),
        **_scratch_volume(order),
    }


def is_of(order: Order, labels: Mapping[str, str]) -> bool:
    """Whether a container with these labels was made for the order. Others are not touched, whatever their name."""
    ours = {name: value for name, value in order.labels.items() if name.endswith(_SHARED)}
    return labels.get(ATTEMPT_LABEL) == order.attempt.id and ours.items() <= labels.items()


def secret_values(secrets: Mapping[str, str], environment: Mapping[str, str]) -> Mapping[str, str]:
    """The values of an order's secrets: from the run worker's own variables, or from a file for an absolute path.

    Raises:
        HeadraceError: one of them cannot be found.
    """
    return {name: _secret(name, place or name, environment) for name, place in secrets.items()}


def _secret(name: str, place: str, environment: Mapping[str, str]) -> str:
    if place.startswith("/"):
        try:
            return Path(place).read_text().rstrip("\n")
        except OSError as error:
            raise HeadraceError(f"The secret {name} cannot be read from {place}: {error.strerror}.") from error
    if place not in environment:
        raise HeadraceError(f"The secret {name} is missing: the run's own process has no variable {place}.")
    return environment[place]


def _variables(order: Order, grace: float) -> dict[str, str]:
    """What the process finds in its environment; what it prints must be out before it can be killed."""
    timeout = order.compute.timeout_seconds
    return (
        {"HOME": "/tmp", "PYTHONUNBUFFERED": "1", GRACE_VARIABLE: f"{grace:g}"}
        | dict(order.variables)
        | {STEP_VARIABLE: order.payload}
        | ({TIMEOUT_VARIABLE: f"{timeout:g}"} if timeout else {})
    )


def _host_config(order: Order, options: Options) -> dict[str, Any]:
    return {
        "NanoCpus": round(order.compute.cpu * _NANO),
        "PidsLimit": options.pids,
        "CapDrop": ["ALL"],
        "CapAdd": list(options.capabilities),
        "SecurityOpt": [*([] if options.new_privileges else ["no-new-privileges"]), *options.security],
        "ReadonlyRootfs": options.read_only,
        "Mounts": [_mount(volume.source, volume.target, volume.read_only) for volume in options.mounts],
        "Tmpfs": _tmpfs(order, options),
        "ExtraHosts": list(options.extra_hosts),
        **_memory(order, options),
        **_gpus(order.compute.gpu),
        **({"NetworkMode": options.network} if options.network else {}),
        **({"UsernsMode": options.userns} if options.userns else {}),
    }


def _mount(source: str, target: str, read_only: bool) -> dict[str, Any]:
    # A mount, and not a "bind", because the engine makes the missing source of a bind, as root.
    kind = "bind" if source.startswith("/") else "volume"
    return {"Type": kind, "Source": source, "Target": target, "ReadOnly": read_only}


def _memory(order: Order, options: Options) -> dict[str, Any]:
    """The memory limit with no swap on top of it, and a `/dev/shm` that data loaders can work with."""
    memory = order.compute.memory_bytes
    shm = as_bytes(options.shm) if options.shm is not None else (memory or 0) // 2
    limits = {} if memory is None else {"Memory": memory, "MemorySwap": memory}
    return limits | ({"ShmSize": shm} if shm else {})


def _gpus(count: int) -> dict[str, Any]:
    return {"DeviceRequests": [{"Driver": "", "Count": count, "Capabilities": [["gpu"]]}]} if count else {}


def _tmpfs(order: Order, options: Options) -> dict[str, str]:
    said = dict(text.partition(":")[::2] for text in options.tmpfs)
    return said if order.compute.disk else {"/tmp": _TMP} | said


def _scratch_volume(order: Order) -> dict[str, Any]:
    """Who asks for disk gets a `/tmp` on the engine's disk instead of in memory; it goes with the container."""
    return {"Volumes": {"/tmp": {}}} if order.compute.disk else {}
