"""Reaching what runs in a cluster that routes no services, and waiting for it."""

import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.platform_core.access.test_tokens import token

IP_FREEBIND = 15  # of <linux/in.h>; Python has no name for it
PATIENCE = 600.0  # seconds; a machine may be busy


class Forward:
    """Hands connections to this machine on to an address that is asked for each time.

    Args:
        at: where connections are taken, by default any free port; this machine may get the address later.
    """

    def __init__(self, target: Callable[[], tuple[str, int]], at: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with socket.create_connection(target(), timeout=30) as there:
                    there.settimeout(None)
                    back = threading.Thread(target=_pump, args=(there, self.request), daemon=True)
                    back.start()
                    _pump(self.request, there)
                    back.join()

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = allow_reuse_address = True

            def server_bind(self) -> None:
                self.socket.setsockopt(socket.SOL_IP, IP_FREEBIND, 1)
                super().server_bind()

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A service without a pod that is ready; whoever asked is told by the end of the connection."""

        self._server = Server(at, Handler)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class PodPorts:
    """Ports of pods on this machine: one `kubectl port-forward` for each, until it ends or the block does."""

    def __init__(self) -> None:
        self._forwards: dict[tuple[str, str, int], tuple[subprocess.Popen[str], int]] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> "PodPorts":
        return self

    def __exit__(self, *_: object) -> None:
        for process, _port in self._forwards.values():
            process.terminate()
            process.wait()

    def of(self, namespace: str, pod: str, port: int) -> int:
        place = (namespace, pod, port)
        with self._lock:
            if place not in self._forwards or self._forwards[place][0].poll() is not None:
                self._forwards[place] = _forwarded(*place)
            return self._forwards[place][1]


def _forwarded(namespace: str, pod: str, port: int) -> "tuple[subprocess.Popen[str], int]":
    command = ["kubectl", "--namespace", namespace, "port-forward", f"pod/{pod}", f":{port}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout
    told = process.stdout.readline()  # Forwarding from 127.0.0.1:41234 -> 3000
    if not told:
        raise OSError(f"no port of {pod} in {namespace} is forwarded")
    return process, int(told.partition(" -> ")[0].rpartition(":")[2])


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        source.close()
        sink.close()


def wait_for(what: Callable[[], Any], patience: float = PATIENCE, told: Callable[[], str] = lambda: "") -> Any:
    """Waits until something is true, asking twice a second."""
    until = time.monotonic() + patience
    while not (found := what()):
        assert time.monotonic() < until, told()
        time.sleep(0.5)
    return found


class Graphql:
    """Asks a webserver as somebody with the production role."""

    def __init__(self, address: str) -> None:
        self.address = address

    def __call__(self, query: str, **variables: Any) -> Any:
        headers = {"Authorization": f"Bearer {token(groups=['pilots'])}"}
        body = {"query": query, "variables": variables}
        answer = httpx.post(f"{self.address}/graphql", json=body, headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert not told.get("errors"), told
        return told["data"]
