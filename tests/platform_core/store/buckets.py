"""S3 for tests: moto's server in this process, and a gate in front of it that lets requests fail."""

import threading
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

# What happens to a request: its method and path are given, and it answers with a fault or with nothing.
Plan = Callable[[str, str], str | None]


class Gate:
    """Passes requests on to a server, except for those that the plan has something else for.

    A fault is a status such as `503`, `hang` (no answer), `cut` (half of the answer) or `drop` (a closed connection).
    """

    def __init__(self, behind: str) -> None:
        self.behind = urlsplit(behind)
        self.plan: Plan = lambda _method, _path: None
        self.seen: list[tuple[str, str]] = []
        self.sent = 0
        self.released = threading.Event()
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _handle(self) -> None:
                gate.handle(self)

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _handle

            def log_message(self, *_: Any) -> None:
                return None

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("content-length") or 0))
        self.seen.append((request.command, request.path))
        fault = self.plan(request.command, request.path)
        if fault == "hang":
            self.released.wait(30)
        if fault in ("hang", "drop"):
            request.close_connection = True
        elif fault and fault.isdigit():
            self._answer(request, int(fault), {}, b"<Error><Code>Busy</Code></Error>")
        else:
            self._answer(request, *self._forward(request, body), cut=fault == "cut")

    def _forward(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection(str(self.behind.hostname), self.behind.port or 80)
        connection.request(request.command, request.path, body, dict(request.headers.items()))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), content

    def _answer(
        self, request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes, cut: bool = False
    ) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):
            request.send_response(status)
            for name, value in headers.items():
                if name.lower() not in ("transfer-encoding", "connection", "server", "date", "content-length"):
                    request.send_header(name, value)
            length = headers.get("Content-Length", str(len(body))) if request.command == "HEAD" else str(len(body))
            request.send_header("content-length", length)
            request.end_headers()
            if request.command != "HEAD":
                self.sent += len(body)
                request.wfile.write(body[: len(body) // 2] if cut else body)
            request.close_connection = request.close_connection or cut
