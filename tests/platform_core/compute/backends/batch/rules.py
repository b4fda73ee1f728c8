"""What the real Batch refuses of a request, as its documentation has it."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

Request = Mapping[str, Any]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_TAG = re.compile(r"[\w \-+=.:/@]*")
_SHARE = re.compile(r"[A-Za-z0-9]{1,255}\*?")
_FARGATE = {
    "0.25": (512, 2048),
    "0.5": (1024, 4096),
    "1": (2048, 8192),
    "2": (4096, 16384),
    "4": (8192, 30720),
    "8": (16384, 61440),
    "16": (32768, 122880),
}
MOST_OVERRIDES = 8192
MOST_JOBS = 100


class ClientException(Exception):
    """A request that Batch answers with status 400."""


def demand(holds: object, message: str) -> None:
    if not holds:
        raise ClientException(message)


def check_definition(request: Request) -> None:
    container = request.get("containerProperties", {})
    demand(_NAME.fullmatch(request.get("jobDefinitionName", "")), "Error executing request, jobDefinitionName is wrong")
    demand(request.get("type") == "container", "Only container jobs are known here")
    demand(container.get("image"), "Container properties must have an image")
    demand(all(container.get("command", ["x"])), "The command must not contain empty strings")
    _check_resources(container.get("resourceRequirements", []), request, required=True)
    demand(1 <= request.get("retryStrategy", {}).get("attempts", 1) <= 10, "attempts must be between 1 and 10")
    demand(not container.get("secrets") or container.get("executionRoleArn"), "Secrets need an executionRoleArn")
    for secret in container.get("secrets", []):
        demand(secret["valueFrom"].startswith("arn:aws"), f"{secret['valueFrom']} is no ARN")
    _check_platform(request, container)
    _check_environment(container.get("environment", []))
    _check_tags(request.get("tags", {}))


def check_job(request: Request, definition: Request, queue: Request) -> None:
    overrides = request.get("containerOverrides", {})
    demand(_NAME.fullmatch(request.get("jobName", "")), f"Job name {request.get('jobName')} is not valid")
    demand(queue["state"] == "ENABLED", f"Cannot submit job to disabled job queue {queue['jobQueueName']}")
    size = len(json.dumps(overrides))
    demand(size <= MOST_OVERRIDES, f"Container Overrides length must be at most {MOST_OVERRIDES}, not {size}")
    demand("" not in overrides.get("command", []), "The command must not contain empty strings")
    _check_environment(overrides.get("environment", []))
    _check_resources(overrides.get("resourceRequirements", []), definition, required=False)
    demand(2 <= request.get("arrayProperties", {}).get("size", 2) <= 10_000, "Array size must be between 2 and 10000")
    seconds = request.get("timeout", {}).get("attemptDurationSeconds", 60)
    demand(seconds >= 60, "attemptDurationSeconds must be at least 60")
    demand(0 <= request.get("schedulingPriorityOverride", 0) <= 9999, "The scheduling priority is out of range")
    _check_share(request, queue)
    _check_tags(request.get("tags", {}))


def check_reason(request: Request) -> None:
    demand(request.get("jobId"), "jobId must not be empty")
    demand(1 <= len(request.get("reason", "")) <= 1024, "reason must have between 1 and 1024 characters")


def check_listing(request: Request) -> None:
    asked = [name for name in ("jobQueue", "arrayJobId", "multiNodeJobId") if request.get(name)]
    demand(len(asked) == 1, "Exactly one of jobQueue, arrayJobId and multiNodeJobId must be given")
    demand(len(request.get("filters", [])) <= 1, "Only one filter can be used at a time")
    demand(1 <= request.get("maxResults", 1) <= 1000, "maxResults is out of range")


def _check_share(request: Request, queue: Request) -> None:
    share = request.get("shareIdentifier")
    demand(not share or _SHARE.fullmatch(share), "shareIdentifier is not valid")
    demand(bool(share) == bool(queue.get("schedulingPolicyArn")), "shareIdentifier must be given for fair share only")


def _check_platform(request: Request, container: Request) -> None:
    if "FARGATE" in request.get("platformCapabilities", []):
        demand(container.get("executionRoleArn"), "Fargate jobs need an executionRoleArn")
        demand("linuxParameters" not in container, "Fargate has no linuxParameters.sharedMemorySize")
        disk = container.get("ephemeralStorage", {}).get("sizeInGiB", 21)
        demand(21 <= disk <= 200, "ephemeralStorage must be between 21 and 200 GiB")
    else:
        for name in ("networkConfiguration", "ephemeralStorage", "fargatePlatformConfiguration"):
            demand(name not in container, f"{name} is for Fargate only")


def _check_resources(resources: list[dict[str, str]], definition: Request, required: bool) -> None:
    values = {resource["type"]: resource["value"] for resource in resources}
    demand(len(values) == len(resources), "A resource is given twice")
    demand(not required or {"VCPU", "MEMORY"} <= set(values), "VCPU and MEMORY are required")
    if "FARGATE" in definition.get("platformCapabilities", []):
        _check_fargate(values)
    else:
        demand(re.fullmatch(r"[1-9]\d*", values.get("VCPU", "1")), "VCPU must be a whole number")
        demand(int(values.get("MEMORY", "4")) >= 4, "MEMORY must be at least 4 MiB")
        demand(int(values.get("GPU", "1")) >= 1, "GPU must be at least 1")


def _check_fargate(values: Mapping[str, str]) -> None:
    demand("GPU" not in values, "Fargate has no GPU")
    least, most = _FARGATE.get(values.get("VCPU", "1"), (1, 0))
    memory = int(values.get("MEMORY", "2048"))
    demand(least <= memory <= most, "Fargate resource requirements are not valid")
    demand(memory == 512 or memory % 1024 == 0, "Fargate resource requirements are not valid")


def _check_environment(environment: list[dict[str, str]]) -> None:
    for variable in environment:
        demand(not variable["name"].startswith("AWS_BATCH"), f"{variable['name']} uses the reserved prefix AWS_BATCH")


def _check_tags(tags: Mapping[str, str]) -> None:
    demand(len(tags) <= 50, "At most 50 tags")
    for name, value in tags.items():
        demand(0 < len(name) <= 128 and len(value) <= 256, f"The tag {name} is too long")
        demand(_TAG.fullmatch(name) and _TAG.fullmatch(value), f"The tag {name} has a character that is not allowed")
        demand(not name.lower().startswith("aws:"), f"The tag {name} is reserved")


Throttle = Callable[[str], bool]
