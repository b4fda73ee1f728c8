"""A double of AWS Batch and of the one call of CloudWatch Logs that goes with it, over HTTP as boto3 speaks it.

It refuses what Batch refuses (see `rules`), and pretends attempts, exit codes, reasons, capacity waits, throttling,
lost answers and listings that lag. With `run=True` the command of a job really runs, as a process of this machine.
"""

import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.platform_core.compute.backends.batch.pretended import Job, Script, machine_environment
from tests.platform_core.compute.backends.batch.rules import (
    MOST_JOBS,
    ClientException,
    check_definition,
    check_job,
    check_listing,
    check_reason,
    demand,
)

ARN = "arn:aws:batch:us-east-1:123456789012"
_STATES = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED")
_PAGE = 100


@dataclass
class Double:
    """Set what is to happen before, or look at what happened after.

    Args:
        plan: what happens to a job, given its request and the index of a child.
        run: whether commands really run.
        environment: variables that every container has, such as the address of S3.
        python: what runs where a command says `python`.
        secrets: values by ARN.
        fault: what becomes of a call: `busy` (429), `broken` (500, not done), `lost` (done, but the answer is 500),
            or nothing.
        listed_after: seconds until a job is listed.
    """

    plan: Callable[[Mapping[str, Any], int | None], Script] = lambda request, index: Script()
    run: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    python: str = "python"
    secrets: Mapping[str, str] = field(default_factory=dict)
    fault: Callable[[str], str] = lambda verb: ""
    listed_after: float = 0.0
    queues: dict[str, dict[str, Any]] = field(default_factory=lambda: {"queue": {"state": "ENABLED"}})
    calls: Counter[str] = field(default_factory=Counter)
    definitions: list[dict[str, Any]] = field(default_factory=list)
    jobs: dict[str, Job] = field(default_factory=dict)
    arrays: dict[str, list[Job]] = field(default_factory=dict)
    submitted: list[Mapping[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        for job in self.jobs.values():
            job.stop("The double is closed.")
        self._server.shutdown()
        self._server.server_close()

    def answer(self, verb: str, request: Mapping[str, Any]) -> tuple[int, str, Mapping[str, Any]]:
        """Status, kind of error and body."""
        self.calls[verb] += 1
        fault = self.fault(verb)
        if fault == "busy":
            return 429, "TooManyRequestsException", {"message": "Too Many Requests"}
        if fault == "broken":
            return 500, "ServerException", {"message": "broken"}
        try:
            with self._lock:
                done: Mapping[str, Any] = getattr(self, f"_{verb}")(request)
        except ClientException as error:
            return 400, "ClientException", {"message": str(error)}
        return (500, "ServerException", {"message": "lost"}) if fault == "lost" else (200, "", done)

    def _registerjobdefinition(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        check_definition(request)
        name = request["jobDefinitionName"]
        revision = 1 + sum(known["jobDefinitionName"] == name for known in self.definitions)
        named = {
            "revision": revision,
            "status": "ACTIVE",
            "jobDefinitionArn": f"{ARN}:job-definition/{name}:{revision}",
        }
        self.definitions.append({**request, **named})
        return {"jobDefinitionName": name, "jobDefinitionArn": named["jobDefinitionArn"], "revision": revision}

    def _describejobdefinitions(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        wanted = {name: request[name] for name in ("jobDefinitionName", "status") if request.get(name)}
        found = [known for known in self.definitions if all(known[name] == value for name, value in wanted.items())]
        return _page("jobDefinitions", list(reversed(found)), request)

    def _deregisterjobdefinition(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self._definition(request["jobDefinition"])["status"] = "INACTIVE"
        return {}

    def _submitjob(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        queue = request.get("jobQueue", "").rpartition("/")[2]
        demand(queue in self.queues, f"Job queue {queue} does not exist")
        definition = self._definition(request.get("jobDefinition", ""))
        check_job(request, definition, {"jobQueueName": queue, **self.queues[queue]})
        self.submitted.append(request)
        job_id = str(uuid.uuid4())
        size = request.get("arrayProperties", {}).get("size")
        self.jobs[job_id] = Job(job_id, request, definition, self.plan(request, None))
        if size:
            self.arrays[job_id] = [self._child(job_id, index) for index in range(size)]
        else:
            self._start(self.jobs[job_id])
        return {"jobId": job_id, "jobName": request["jobName"], "jobArn": f"{ARN}:job/{job_id}"}

    def _child(self, array: str, index: int) -> Job:
        parent = self.jobs[array]
        script = self.plan(parent.request, index)
        child = Job(f"{array}:{index}", parent.request, parent.definition, script, index)
        self.jobs[child.id] = child
        self._start(child)
        return child

    def _start(self, job: Job) -> None:
        if self.run:
            job.is_real = True
            given = machine_environment(self.environment) | self._secret_variables(job) | job.environment
            threading.Thread(target=job.run, args=(given, self.python), daemon=True).start()

    def _secret_variables(self, job: Job) -> dict[str, str]:
        secrets = job.definition["containerProperties"].get("secrets", [])
        return {secret["name"]: self.secrets[secret["valueFrom"]] for secret in secrets}

    def _definition(self, arn: str) -> dict[str, Any]:
        for known in self.definitions:
            if arn in (known["jobDefinitionArn"], known["jobDefinitionArn"].rpartition("/")[2]):
                demand(known["status"] == "ACTIVE", f"JobDefinition {arn} is not active")
                return known
        raise ClientException(f"JobDefinition {arn} does not exist")

    def _describejobs(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        demand(1 <= len(request["jobs"]) <= MOST_JOBS, f"Maximum number of jobs supported is {MOST_JOBS}")
        return {"jobs": [self.described(job_id) for job_id in request["jobs"] if job_id in self.jobs]}

    def described(self, job_id: str) -> dict[str, Any]:
        told = self.jobs[job_id].describe()
        if children := self.arrays.get(job_id):
            counts = Counter(child.status for child in children)
            summary = {state: counts[state] for state in _STATES}
            over = counts["SUCCEEDED"] + counts["FAILED"] == len(children)
            ended = "FAILED" if counts["FAILED"] else "SUCCEEDED"
            told |= {"arrayProperties": {"statusSummary": summary, "size": len(children)}, "attempts": []}
            told["status"] = ended if over else "PENDING"
        return told

    def _listjobs(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        check_listing(request)
        if array := request.get("arrayJobId"):
            wanted = request.get("jobStatus", "RUNNING")
            jobs = [job for job in self.arrays[array] if job.status == wanted]
        else:
            jobs = [job for job in self.jobs.values() if job.index is None and self._is_listed(job, request)]
        jobs.sort(key=lambda job: -job.begun)
        return _page("jobSummaryList", [_summary(self.described(job.id)) for job in jobs], request)

    def _is_listed(self, job: Job, request: Mapping[str, Any]) -> bool:
        if time.time() - job.begun < self.listed_after or job.request["jobQueue"] != request["jobQueue"]:
            return False
        for each in request.get("filters", []):
            name, value = job.request["jobName"].lower(), each["values"][0].lower()
            return bool(name.startswith(value[:-1]) if value.endswith("*") else name == value)
        return bool(self.described(job.id)["status"] == request.get("jobStatus", "RUNNING"))

    def _terminatejob(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._stop(request, _STATES)

    def _canceljob(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._stop(request, ("SUBMITTED", "PENDING", "RUNNABLE"))

    def _stop(self, request: Mapping[str, Any], states: tuple[str, ...]) -> Mapping[str, Any]:
        check_reason(request)
        demand(request["jobId"] in self.jobs, f"Job {request['jobId']} does not exist")
        for job in self.arrays.get(request["jobId"], [self.jobs[request["jobId"]]]):
            if job.status in states:
                job.stop(request["reason"])
        return {}

    def _getlogevents(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        job = self.jobs[request["logStreamName"].partition("/")[0]]
        lines = job.lines[-request.get("limit", 10_000) :]
        return {"events": [{"timestamp": 1, "message": line, "ingestionTime": 1} for line in lines]}


def _summary(described: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("jobId", "jobArn", "jobName", "createdAt", "status", "statusReason", "startedAt", "jobDefinition")
    return {name: described[name] for name in kept if name in described}


def _page(name: str, found: list[Any], request: Mapping[str, Any]) -> dict[str, Any]:
    start, size = int(request.get("nextToken") or 0), min(request.get("maxResults", _PAGE), _PAGE)
    following = {"nextToken": str(start + size)} if len(found) > start + size else {}
    return {name: found[start : start + size], **following}


def _handler(double: Double) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            target = self.headers.get("x-amz-target", "")
            verb = target.rpartition(".")[2] or self.path.rpartition("/")[2]
            status, error, answer = double.answer(verb.lower(), json.loads(body or b"{}"))
            content = json.dumps(answer).encode()
            with suppress(BrokenPipeError, ConnectionResetError):
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                if error:
                    self.send_header("x-amzn-errortype", error)
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            return None

    return Handler
