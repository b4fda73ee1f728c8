"""A double of the Kubernetes API over real HTTP, for what a real cluster does not do on demand.

It knows Jobs, their pods, watches, events, nodes and logs. `python fake_api.py SECONDS` serves one in a process of its
own, whose pods run for that long, so that the work of whoever uses it can be measured alone.
"""

import json
import re
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

Thing = dict[str, Any]

_TERM = re.compile(r"([^,=\s]+)\s+in\s+\(([^)]*)\)|([^,=]+)=([^,]*)|([^,=]+)")
_JOBS = re.compile(r"/apis/batch/v1/namespaces/([^/]+)/jobs(?:/([^/]+))?")
_CORE = re.compile(r"/api/v1/(?:namespaces/([^/]+)/)?(pods|events|nodes|secrets)(?:/([^/]+)/log)?")


def chosen(thing: Thing, selector: str) -> bool:
    """Whether a label selector chooses a thing."""
    labels = thing["metadata"].get("labels") or {}
    for match in _TERM.finditer(selector):
        key, some, name, value, present = match.groups()
        if key and labels.get(key) not in some.split(","):
            return False
        if name and labels.get(name) != value:
            return False
        if present and present not in labels:
            return False
    return True


class FakeApi:
    """The cluster's state. Its methods are what the cluster, or somebody else in it, does."""

    def __init__(self, run_seconds: float | None = None, makes_pods: bool = True) -> None:
        self.jobs: dict[str, Thing] = {}
        self.pods: dict[str, Thing] = {}
        self.events: list[Thing] = []
        self.nodes: list[Thing] = []
        self.secrets: list[Thing] = []
        self.log = b""
        self.calls: Counter[str] = Counter()
        self.refusals: dict[str, tuple[int, str]] = {}  # by verb and kind, such as `POST jobs`
        self.makes_pods = makes_pods
        self.run_seconds = run_seconds
        self.changed = threading.Condition()
        self.history: list[tuple[int, str, Thing]] = []
        self.version = self.oldest = 100
        self.era = 0  # a watch ends when it changes
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def kubeconfig(self, folder: Path) -> str:
        """A file that leads to this API."""
        path = folder / "kubeconfig"
        path.write_text(kubeconfig_text(self.url))
        return str(path)

    def stop(self) -> None:
        self.end_watches()
        self._server.shutdown()
        self._server.server_close()

    def create_pod(self, job: Thing, name: str = "") -> Thing:
        template, name = job["spec"]["template"], name or f"{job['metadata']['name']}-{self.version}"
        metadata = {"name": name, "uid": f"uid-{name}", "labels": template["metadata"]["labels"]}
        pod = {"metadata": metadata, "spec": template["spec"], "status": {"phase": "Pending"}}
        self.put(pod)
        return pod

    def put(self, pod: Thing, **status: Any) -> None:
        """A pod is new, or its status changes."""
        with self.changed:
            kind = "MODIFIED" if pod["metadata"]["name"] in self.pods else "ADDED"
            pod = {**pod, "status": {**pod["status"], **status}}
            self._record(kind, pod)
            self.pods[pod["metadata"]["name"]] = pod

    def run(self, pod: Thing) -> None:
        self.put(self.pods[pod["metadata"]["name"]], phase="Running", containerStatuses=[_container({"running": {}})])

    def end(self, pod: Thing, code: int = 0, reason: str = "Completed") -> None:
        ended = _container({"terminated": {"exitCode": code, "reason": reason}})
        phase = "Failed" if code else "Succeeded"
        self.put(self.pods[pod["metadata"]["name"]], phase=phase, containerStatuses=[ended])

    def remove(self, pod: Thing, silently: bool = False) -> None:
        """A pod disappears; `silently` where no watch will ever tell."""
        with self.changed:
            gone = self.pods.pop(pod["metadata"]["name"])
            if not silently:
                self._record("DELETED", gone)

    def end_watches(self) -> None:
        """Cuts every watch off."""
        with self.changed:
            self.era += 1
            self.changed.notify_all()

    def forget_history(self) -> None:
        """From now on, every older version is gone (410)."""
        with self.changed:
            self.version += 10
            self.oldest = self.version
            self.history.clear()

    def only_pod(self) -> Thing:
        (pod,) = self.pods.values()
        return pod

    def _record(self, kind: str, pod: Thing) -> None:
        self.version += 1
        pod["metadata"] = {**pod["metadata"], "resourceVersion": str(self.version)}
        self.history.append((self.version, kind, pod))
        self.changed.notify_all()

    # What the API answers: a status and a thing.

    def post_job(self, job: Thing) -> tuple[int, Thing]:
        name = job["metadata"]["name"]
        if name in self.jobs:
            return 409, {"reason": "AlreadyExists", "message": f'jobs.batch "{name}" already exists'}
        job["metadata"]["uid"] = f"uid-{name}"
        self.jobs[name] = job
        if self.makes_pods:
            pod = self.create_pod(job)
            if self.run_seconds is not None:
                threading.Timer(0.2, self.run, [pod]).start()
                threading.Timer(0.2 + self.run_seconds, self.end, [pod]).start()
        return 201, job

    def delete_jobs(self, selector: str) -> tuple[int, Thing]:
        for name in [name for name, job in self.jobs.items() if chosen(job, selector)]:
            del self.jobs[name]
        for pod in [pod for pod in self.pods.values() if chosen(pod, selector)]:
            self.remove(pod)
        return 200, {"kind": "Status", "status": "Success"}

    def listed(self, things: list[Thing], selector: str = "") -> tuple[int, Thing]:
        with self.changed:
            found = [thing for thing in things if chosen(thing, selector)]
            return 200, {"metadata": {"resourceVersion": str(self.version)}, "items": found}


def kubeconfig_text(url: str) -> str:
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "fake", "cluster": {"server": url}}],
            "users": [{"name": "fake", "user": {"token": "none"}}],
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
            "current-context": "fake",
        }
    )


def _container(state: Thing) -> Thing:
    return {"name": "step", "state": state}


def _handler(api: FakeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def do_DELETE(self) -> None:
            self._answer("DELETE")

        def handle(self) -> None:
            with suppress(ConnectionError):  # whoever watched has left
                super().handle()

        def log_message(self, format: str, *arguments: Any) -> None:
            return None

        def _answer(self, verb: str) -> None:
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
            job, core = _JOBS.fullmatch(url.path), _CORE.fullmatch(url.path)
            kind = "jobs" if job else ("log" if core and core[3] else core[2] if core else "?")
            watches = query.get("watch", "").lower() == "true"
            api.calls["watch" if watches else f"{verb} {kind}"] += 1
            if refusal := api.refusals.get(f"{verb} {kind}"):
                self._send(refusal[0], {"message": refusal[1]})
            elif watches:
                self._watch(query)
            elif kind == "log":
                self._send_bytes(200, api.log)
            else:
                self._send(*self._result(verb, kind, job[2] if job else None, query.get("labelSelector", ""), body))

        def _result(self, verb: str, kind: str, name: str | None, selector: str, body: Thing) -> tuple[int, Thing]:
            if verb == "POST":
                if kind == "jobs":
                    return api.post_job(body)
                api.secrets.append(body)
                return 201, body
            if verb == "DELETE":
                return api.delete_jobs(selector)
            if name:
                return (200, api.jobs[name]) if name in api.jobs else (404, {"message": "not found"})
            kinds = {"jobs": api.jobs.values(), "pods": api.pods.values(), "events": api.events, "nodes": api.nodes}
            return api.listed(list(kinds[kind]), selector)

        def _watch(self, query: dict[str, str]) -> None:
            seen, era = int(query["resourceVersion"]), api.era
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            if seen < api.oldest:
                self._chunk({"type": "ERROR", "object": {"code": 410, "message": "too old resource version"}})
                self.wfile.write(b"0\r\n\r\n")
                return
            while api.era == era:
                with api.changed:
                    if api.era == era and api.version == seen:
                        api.changed.wait(1)
                    fresh, seen = [one for one in api.history if one[0] > seen], max(seen, api.version)
                for _version, kind, pod in fresh:
                    if chosen(pod, query.get("labelSelector", "")):
                        self._chunk({"type": kind, "object": pod})
            self.close_connection = True  # in the middle of the stream, as a proxy does

        def _chunk(self, thing: Thing) -> None:
            line = json.dumps(thing).encode() + b"\n"
            self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
            self.wfile.flush()

        def _send(self, status: int, thing: Thing) -> None:
            self._send_bytes(status, json.dumps(thing).encode())

        def _send_bytes(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


if __name__ == "__main__":
    served = FakeApi(run_seconds=float(sys.argv[1]))
    print(served.url, flush=True)
    while True:
        time.sleep(1)
