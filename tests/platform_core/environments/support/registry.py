"""A registry on this machine: one that takes what it is sent, or one that refuses everything."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import MappingProxyType
from typing import ClassVar

_NOTHING: Mapping[str, str] = MappingProxyType({})
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@dataclass
class Registry:
    """What was sent to a registry, and where it is. `refuses`: the status that it answers everything with."""

    address: str = ""
    refuses: HTTPStatus | None = None
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # by tag and by digest, with their type
    asked: list[str] = field(default_factory=list)


@contextmanager
def a_registry(refuses: HTTPStatus | None = None) -> Iterator[Registry]:
    """A registry at an address of this machine, to which engines talk without certificates."""
    registry = Registry(refuses=refuses)
    handler = type("Handler", (_Handler,), {"registry": registry})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        registry.address = f"127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield registry
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    """As much of the distribution protocol as pushing and fetching take."""

    registry: ClassVar[Registry]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer_to(self._asked())

    do_HEAD = do_POST = do_PATCH = do_PUT = do_GET

    def _asked(self) -> bytes:
        self.registry.asked.append(f"{self.command} {self.path}")
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _answer_to(self, body: bytes) -> None:
        if self.registry.refuses:
            code = {401: "UNAUTHORIZED", 403: "DENIED"}.get(self.registry.refuses, "UNKNOWN")
            said = {"errors": [{"code": code, "message": "not for the likes of you", "detail": None}]}
            self._send(self.registry.refuses, {"Content-Type": "application/json"}, json.dumps(said).encode())
        elif re.search(r"/blobs/uploads/", self.path):
            self._take_blob(body)
        elif found := re.search(r"/blobs/(sha256:\w+)$", self.path):
            self._give(self.registry.blobs.get(found[1]), "application/octet-stream", found[1])
        elif found := re.search(r"/manifests/([^/]+)$", self.path):
            self._take_or_give_manifest(found[1], body)
        else:
            self._send(HTTPStatus.OK, body=b"{}")

    def _take_blob(self, body: bytes) -> None:
        upload = self.path.partition("?")[0]
        if self.command == "POST":
            return self._send(HTTPStatus.ACCEPTED, {"Location": f"{upload.rstrip('/')}/{len(self.registry.asked)}"})
        pending = self.registry.blobs.setdefault(upload, b"") + body
        if self.command == "PATCH":
            self.registry.blobs[upload] = pending
            return self._send(HTTPStatus.ACCEPTED, {"Location": upload, "Range": f"0-{len(pending) - 1}"})
        self.registry.blobs[_digest(pending)] = pending
        return self._send(HTTPStatus.CREATED, {"Docker-Content-Digest": _digest(pending)})

    def _take_or_give_manifest(self, name: str, body: bytes) -> None:
        if self.command == "PUT":
            self.registry.manifests |= dict.fromkeys((name, _digest(body)), (self.headers["Content-Type"], body))
            return self._send(HTTPStatus.CREATED, {"Docker-Content-Digest": _digest(body)})
        kind, content = self.registry.manifests.get(name, (_MANIFEST, None))
        return self._give(content, kind, _digest(content or b""))

    def _give(self, content: bytes | None, kind: str, digest: str) -> None:
        if content is None:
            return self._send(HTTPStatus.NOT_FOUND)
        return self._send(HTTPStatus.OK, {"Content-Type": kind, "Docker-Content-Digest": digest}, content)

    def _send(self, status: HTTPStatus, headers: Mapping[str, str] = _NOTHING, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {"Docker-Distribution-Api-Version": "registry/2.0", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
