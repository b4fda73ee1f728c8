"""The calls to AWS that the backend makes, and what it means when one fails."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Literal

MOST_DESCRIBED = 100  # jobs per call
LOG_LINES = 200
_THROTTLED = {"TooManyRequestsException", "ThrottlingException", "Throttling", "RequestLimitExceeded", "SlowDown"}
_TOO_MANY, _SERVER = 429, 500

# `busy` and `away`: it certainly was not done, and may be soon. `unclear`: it may have been done. `refused`: never.
Fault = Literal["busy", "away", "unclear", "refused"]


class CallFailed(Exception):
    """A call of AWS that failed: what that says about whether it was done, and AWS's own words."""

    def __init__(self, fault: Fault, words: str) -> None:
        super().__init__(words)
        self.fault: Fault = fault
        self.words = words


@contextmanager
def calling() -> Iterator[None]:
    """Puts failures of the SDK into the words of this package.

    Raises:
        CallFailed: whatever the SDK raised.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        said = error.response.get("Error", {})
        words = f"{said.get('Code', 'error')}: {said.get('Message', '')}".rstrip(" :.")
        raise CallFailed(_fault_of_answer(error.response), words) from error
    except BotoCoreError as error:
        raise CallFailed(_fault_on_the_way(error), str(error).rstrip(" .")) from error


def _fault_of_answer(response: Mapping[str, Any]) -> Fault:
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status == _TOO_MANY or response.get("Error", {}).get("Code") in _THROTTLED:
        return "busy"
    return "unclear" if status >= _SERVER else "refused"


def _fault_on_the_way(error: Exception) -> Fault:
    from botocore import exceptions as known

    never = (known.NoCredentialsError, known.NoRegionError, known.ParamValidationError, known.PartialCredentialsError)
    if isinstance(error, never):
        return "refused"
    not_reached = (known.ConnectTimeoutError, known.EndpointConnectionError, known.ProxyConnectionError)
    return "away" if isinstance(error, not_reached) else "unclear"


class Calls:
    """Batch and CloudWatch, reached as the AWS SDKs are configured; the first call connects.

    Raises:
        CallFailed: in each method, when AWS does not do it or cannot be reached.
    """

    def __init__(self, region: str | None = None) -> None:
        self._region = region
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self.made = 0  # calls of Batch, for whoever watches the quota

    def client(self, service: str, attempts: int = 8) -> Any:
        """A client that is shared by all threads. Making one is not safe in two of them at once."""
        key = f"{service}:{attempts}"
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._made(service, attempts)
            return self._clients[key]

    def _made(self, service: str, attempts: int) -> Any:
        import boto3
        from botocore.config import Config

        # Not `adaptive`: it holds back all calls for long after a few were refused, those of other jobs too.
        retries = {"mode": "standard", "total_max_attempts": attempts}
        config = Config(retries=retries, connect_timeout=5, read_timeout=30, max_pool_connections=16)
        return boto3.session.Session().client(service, region_name=self._region, config=config)

    def _batch(self) -> Any:
        self.made += 1
        return self.client("batch")

    @calling()
    def definitions(self, name: str) -> list[Mapping[str, Any]]:
        pages = self._batch().get_paginator("describe_job_definitions")
        return [
            found
            for page in pages.paginate(jobDefinitionName=name, status="ACTIVE")
            for found in page["jobDefinitions"]
        ]

    @calling()
    def register(self, request: Mapping[str, Any]) -> str:
        return str(self._batch().register_job_definition(**request)["jobDefinitionArn"])

    @calling()
    def deregister(self, arn: str) -> None:
        self._batch().deregister_job_definition(jobDefinition=arn)

    @calling()
    def submit(self, request: Mapping[str, Any]) -> str:
        """Submits a job, once: a call that is repeated after its answer was lost would start the job twice."""
        self.made += 1
        return str(self.client("batch", attempts=1).submit_job(**request)["jobId"])

    @calling()
    def describe(self, ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """Jobs by their id; without those that Batch does not know."""
        found = (self._batch().describe_jobs(jobs=few)["jobs"] for few in _in_batches(ids, MOST_DESCRIBED))
        return {job["jobId"]: job for few in found for job in few}

    @calling()
    def jobs_named(self, queue: str, prefix: str) -> dict[str, list[str]]:
        """The ids of all jobs of a queue whose name begins like that, by name, the oldest first."""
        pages = self._batch().get_paginator("list_jobs")
        filters = [{"name": "JOB_NAME", "values": [f"{prefix}*"]}]
        listed = [job for page in pages.paginate(jobQueue=queue, filters=filters) for job in page["jobSummaryList"]]
        ids: dict[str, list[str]] = {}
        for job in sorted(listed, key=lambda job: job.get("createdAt", 0)):
            ids.setdefault(job["jobName"], []).append(job["jobId"])
        return ids

    @calling()
    def terminate(self, job_id: str, reason: str) -> None:
        """Ends a job in whatever state it is.

        `CancelJob` is not used: it does nothing, and says so to nobody, when the job begins to start meanwhile.
        """
        self._batch().terminate_job(jobId=job_id, reason=reason)

    def log_tail(self, group: str, stream: str) -> str:
        """The last lines of a stream; nothing when there is none."""
        try:
            with calling():
                found = self.client("logs").get_log_events(
                    logGroupName=group, logStreamName=stream, limit=LOG_LINES, startFromHead=False
                )
        except CallFailed as error:
            if error.words.startswith("ResourceNotFound"):
                return ""
            raise
        return "\n".join(event["message"] for event in found["events"])


def _in_batches(ids: Iterable[str], size: int) -> Iterator[Sequence[str]]:
    remaining = iter(ids)
    while few := list(islice(remaining, size)):
        yield few
