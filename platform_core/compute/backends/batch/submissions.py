"""Orders put together to jobs: alone, or as an array where only the partition differs."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from platform_core.compute.attempts import STEP_VARIABLE, Attempt, Order
from platform_core.compute.backends.batch.definitions import Request, definition_of
from platform_core.compute.backends.batch.names import as_tags, job_name
from platform_core.compute.backends.batch.needs import Need, need_of
from platform_core.compute.backends.batch.options import Options, Refused
from platform_core.compute.payloads import STEP_FROM_VARIABLE
from platform_core.compute.worker import TIMEOUT_VARIABLE
from platform_core.errors import DefinitionError

LARGEST_ARRAY = 10_000
# ECS takes 8,192 characters of overrides, brackets and quotes included, and Batch adds variables of its own.
MOST_OVERRIDES = 7_400
_RESERVED = "AWS_BATCH"
_EXPIRY = ("expires", "expiry")  # of orders that were made a second apart
_LEAST_TIMEOUT = 60  # seconds
_SLACK = 120  # for the worker to end the step itself, which knows better when it began


@dataclass(frozen=True)
class Deployment:
    """What holds for every job of a deployment."""

    options: Options
    image: str
    command: tuple[str, ...]
    largest_array: int = LARGEST_ARRAY


@dataclass(frozen=True)
class Submission:
    """A job to submit, with one order for each index."""

    orders: tuple[Order, ...]
    options: Options
    need: Need
    definition: Request

    @property
    def name(self) -> str:
        return job_name([order.attempt for order in self.orders])

    @property
    def is_array(self) -> bool:
        return len(self.orders) > 1

    @property
    def fits_inline(self) -> bool:
        """Whether the step can be said in a variable. The children of an array share theirs."""
        if self.is_array:
            return False
        return _size(self._overrides({STEP_VARIABLE: self.orders[0].payload})) <= MOST_OVERRIDES

    def request(self, definition_arn: str, payloads: str) -> Request:
        """What to submit, with the address of the object that holds the payloads where they do not fit in."""
        first = self.orders[0]
        step = {STEP_VARIABLE: first.payload} if self.fits_inline else {STEP_FROM_VARIABLE: self._address(payloads)}
        optional = {
            "arrayProperties": {"size": len(self.orders)} if self.is_array else None,
            "timeout": _timeout(first),
            "shareIdentifier": self.options.share_identifier,
            "schedulingPriorityOverride": self.options.scheduling_priority,
        }
        return {
            "jobName": self.name,
            "jobQueue": self.options.queue,
            "jobDefinition": definition_arn,
            "containerOverrides": self._overrides(step),
            "propagateTags": True,
            "tags": as_tags(first.labels, self.name),
        } | {name: value for name, value in optional.items() if value not in (None, "")}

    def checked(self) -> "Submission":
        """Itself.

        Raises:
            Refused: its variables are more than Batch takes.
        """
        variables = self.orders[0].variables
        if reserved := [name for name in variables if name.startswith(_RESERVED)]:
            raise Refused(f"The variable {reserved[0]} cannot be set on Batch, which keeps {_RESERVED}* to itself.")
        if not self.fits_inline and (size := _size(self._overrides({STEP_FROM_VARIABLE: "x" * 300}))) > MOST_OVERRIDES:
            raise Refused(
                f"The environment variables of this step take {size:,} characters, and Batch has room for"
                f" {MOST_OVERRIDES:,}: set fewer or shorter ones, or put them into the image."
            )
        return self

    def _address(self, payloads: str) -> str:
        return payloads if self.is_array else f"{payloads}#0"

    def _overrides(self, step: Mapping[str, str]) -> Request:
        first = self.orders[0]
        seconds = first.compute.timeout_seconds
        timeout = {TIMEOUT_VARIABLE: f"{seconds:g}"} if seconds is not None else {}
        environment = [{"name": name, "value": value} for name, value in {**timeout, **first.variables, **step}.items()]
        return {"resourceRequirements": self.need.requirements, "environment": environment}


def submissions_of(
    orders: Iterable[Order], deployment: Deployment
) -> tuple[list[Submission], list[tuple[Order, Refused]]]:
    """The jobs to submit, and the orders that cannot become one."""
    made: list[Submission] = []
    refused: list[tuple[Order, Refused]] = []
    for group in _alike(orders, deployment.largest_array):
        try:
            made.append(_submission(tuple(group), deployment))
        except (Refused, DefinitionError) as error:
            refused += [(order, Refused(str(error))) for order in group]
    return made, refused


def _submission(orders: tuple[Order, ...], deployment: Deployment) -> Submission:
    first = orders[0]
    options = deployment.options.with_those_of(first.profile.options)
    image = first.compute.image or deployment.image
    if not options.queue:
        raise Refused("No job queue is known: set queue in the profile's options, or for the whole deployment.")
    if not image:
        raise Refused("No image is known for this step: set Compute(image=...) or the deployment's own.")
    definition = definition_of(first, options, image, deployment.command)
    return Submission(orders, options, need_of(first.compute, options), definition).checked()


def _alike(orders: Iterable[Order], most: int) -> Iterator[Sequence[Order]]:
    groups: dict[str, list[Order]] = {}
    for order in orders:
        groups.setdefault(_likeness(order), []).append(order)
    for group in groups.values():
        for start in range(0, len(group), max(1, most)):
            yield group[start : start + max(1, most)]


def _likeness(order: Order) -> str:
    """The same text for orders that differ in nothing but the partition."""
    attempt = order.attempt
    if not attempt.partition:
        return attempt.id
    labels = {name: value for name, value in order.labels.items() if name not in _EXPIRY}
    alike = replace(order, attempt=Attempt(attempt.run_id, attempt.step), payload="", folder=None, labels=labels)
    return repr(alike)


def _timeout(order: Order) -> dict[str, int] | None:
    """A second guard: Batch's clock begins earlier, and it knows nothing of what the step started."""
    seconds = order.compute.timeout_seconds
    return None if seconds is None else {"attemptDurationSeconds": max(_LEAST_TIMEOUT, int(seconds) + _SLACK)}


def _size(overrides: Request) -> int:
    return len(json.dumps(overrides))
