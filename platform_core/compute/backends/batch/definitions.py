"""Job definitions: one for everything that is the same for many steps, found again by a hash of itself."""

import hashlib
import json
import threading
from collections.abc import Mapping
from typing import Any

from platform_core.compute.attempts import Order
from platform_core.compute.backends.batch.calls import Calls
from platform_core.compute.backends.batch.names import as_tags
from platform_core.compute.backends.batch.needs import MIB, disk_of
from platform_core.compute.backends.batch.options import DEFAULT_LOG_GROUP, Options, Refused
from platform_core.compute.quantities import as_bytes

Request = dict[str, Any]
_OURS = {"headrace/made-by": "headrace"}
_WHOSE = ("namespace", "location")  # so that rights can be given to the definitions of one team
# What must be the same in a definition that is reused: a name alone proves nothing.
_PROVEN = ("image", "command", "jobRoleArn", "executionRoleArn", "secrets", "volumes", "mountPoints")


def definition_of(order: Order, options: Options, image: str, command: tuple[str, ...]) -> Request:
    """The definition that an order runs with, under a name that contains its hash.

    Raises:
        Refused: Batch cannot have such a definition.
    """
    tags = as_tags(order.labels, "")
    body: Request = {
        "type": "container",
        "platformCapabilities": [options.platform],
        "containerProperties": _container(order, options, image, command),
        # The platform's own retries know why an attempt ended; Batch's would repeat what must not be repeated.
        "retryStrategy": {"attempts": 1},
        "propagateTags": True,
        "tags": _OURS | {name: tags[name] for name in _WHOSE if name in tags},
    }
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:20]
    return {"jobDefinitionName": f"headrace-{digest}", **body}


class Definitions:
    """The definitions of this account, each registered once."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._arns: dict[str, str] = {}
        self._lock = threading.Lock()

    def arn(self, request: Request) -> str:
        """Finds a definition, or registers it."""
        name = request["jobDefinitionName"]
        with self._lock:
            if name not in self._arns:
                self._arns[name] = self._first(request) or self._registered(request)
            return self._arns[name]

    def forget(self, request: Request) -> None:
        """After somebody deregistered it."""
        with self._lock:
            self._arns.pop(request["jobDefinitionName"], None)

    def _registered(self, request: Request) -> str:
        """Registers a definition; where several run workers did so at once, all of them use the first one's."""
        own = self._calls.register(request)
        first = self._first(request) or own
        if first != own:
            self._calls.deregister(own)
        return first

    def _first(self, request: Request) -> str | None:
        found = [known for known in self._calls.definitions(request["jobDefinitionName"]) if _is_as(known, request)]
        return min(found, key=lambda known: known["revision"])["jobDefinitionArn"] if found else None


def _is_as(known: Mapping[str, Any], request: Request) -> bool:
    has, wants = known.get("containerProperties", {}), request["containerProperties"]
    return all((has.get(name) or None) == (wants.get(name) or None) for name in _PROVEN)


def _container(order: Order, options: Options, image: str, command: tuple[str, ...]) -> dict[str, Any]:
    least = {"VCPU": "1", "MEMORY": "2048"}  # required here, and overridden by every job
    given: dict[str, Any] = {
        "image": image,
        "command": list(command),
        "resourceRequirements": [{"type": kind, "value": value} for kind, value in least.items()],
        "jobRoleArn": options.job_role_arn,
        "executionRoleArn": _execution_role(order, options),
        "secrets": _secrets(order.secrets),
        "logConfiguration": _logging(options),
    }
    given |= _of_fargate(order, options) if options.is_fargate else _of_ec2(options)
    return {name: value for name, value in given.items() if value}


def _of_fargate(order: Order, options: Options) -> dict[str, Any]:
    disk = disk_of(order.compute, options)
    return {
        "networkConfiguration": {"assignPublicIp": "ENABLED" if options.public_ip else "DISABLED"},
        "ephemeralStorage": {"sizeInGiB": disk} if disk else None,
    }


def _of_ec2(options: Options) -> dict[str, Any]:
    shared = as_bytes(options.shared_memory) // MIB if options.shared_memory else 0
    paths = [volume.split(":") for volume in options.volumes]
    return {
        "linuxParameters": {"sharedMemorySize": shared} if shared else None,
        "volumes": [{"name": f"volume-{n}", "host": {"sourcePath": path[0]}} for n, path in enumerate(paths)],
        "mountPoints": [
            {"sourceVolume": f"volume-{n}", "containerPath": path[1], "readOnly": path[2:] == ["ro"]}
            for n, path in enumerate(paths)
        ],
    }


def _execution_role(order: Order, options: Options) -> str:
    if not options.execution_role_arn and (options.is_fargate or order.secrets):
        what = "Fargate" if options.is_fargate else "a step with secrets"
        raise Refused(f"Batch needs an execution role for {what}: set execution_role_arn in the profile's options.")
    return options.execution_role_arn


def _secrets(secrets: Mapping[str, str]) -> list[dict[str, str]]:
    if nowhere := [name for name, arn in sorted(secrets.items()) if not arn]:
        raise Refused(
            f"The secret {nowhere[0]} has no ARN: on Batch every secret of a profile names one of the Secrets Manager"
            " or the Parameter Store, because anything else would show its value to all who may describe jobs."
        )
    return [{"name": name, "valueFrom": arn} for name, arn in sorted(secrets.items())]


def _logging(options: Options) -> dict[str, Any] | None:
    if options.log_group == DEFAULT_LOG_GROUP:
        return None
    return {"logDriver": "awslogs", "options": {"awslogs-group": options.log_group}}
