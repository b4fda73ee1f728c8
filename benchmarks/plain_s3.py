"""As much of S3 as the benchmark of the store asks for, so quick that the time is the client's: `python -m … FOLDER`.

No rights, no signatures, no checksums: moto's server, which has all of that, is for the tests. It serves 44 MB/s, and
measures itself. Objects are files, and go from there to the network without a look at them.
"""

import os
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

PIECE = 1024 * 1024
_NUMBERS = count(1)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def _objects(self) -> "_Objects":
        return cast("_Objects", self.server)

    def do_PUT(self) -> None:
        """An object, or a part of one."""
        key, query = self._address()
        if "uploadId" in query:
            self._receive(self._objects.folder / f"{query['uploadId'][0]}.{int(query['partNumber'][0]):05}")
            return self._answer(200, {"ETag": '"part"'})
        self._receive(path := self._objects.new())
        return self._answer(200, self._keep(key, path))

    def do_POST(self) -> None:
        """An upload in parts begins or ends."""
        key, query = self._address()
        self.rfile.read(int(self.headers.get("content-length") or 0))
        if "uploads" in query:
            number = f"upload{next(_NUMBERS)}"
            return self._answer(200, {}, _xml("InitiateMultipartUploadResult", UploadId=number, Key=key))
        self._join(path := self._objects.new(), query["uploadId"][0])
        etag = self._keep(key, path)["ETag"]
        return self._answer(200, {}, _xml("CompleteMultipartUploadResult", ETag=etag, Key=key))

    def _keep(self, key: str, path: Path) -> dict[str, str]:
        if old := self._objects.files.get(key):
            old.unlink()
        self._objects.files[key] = path
        return {"ETag": f'"{path.name}"'}

    def do_HEAD(self) -> None:
        self._send(body=False)

    def do_GET(self) -> None:
        self._send(body=True)

    def _send(self, body: bool) -> None:
        path = self._objects.files.get(self._address()[0])
        if path is None:
            return self._answer(404, {}, _xml("Error", Code="NoSuchKey") if body else b"")
        size = path.stat().st_size
        start, end = self._range(size)
        about = {"ETag": f'"{path.name}"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        ranged = {"Content-Range": f"bytes {start}-{end - 1}/{size}"} if "range" in self.headers else {}
        self._answer(206 if ranged else 200, about | ranged, length=end - start)
        return self._send_file(path, start, end) if body else None

    def _send_file(self, path: Path, start: int, end: int) -> None:
        with path.open("rb") as file:
            while start < end:
                start += os.sendfile(self.connection.fileno(), file.fileno(), start, end - start)

    def _range(self, size: int) -> tuple[int, int]:
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("range") or "bytes=0-")
        if asked is None:
            return 0, size
        first, last = asked.groups()
        if not first:  # the last so many bytes
            return max(0, size - int(last)), size
        return int(first), min(size, int(last) + 1) if last else size

    def _receive(self, path: Path) -> None:
        left, buffer = int(self.headers.get("content-length") or 0), memoryview(bytearray(PIECE))
        with path.open("wb", buffering=0) as file:
            while left:
                taken = self.rfile.readinto(buffer[: min(PIECE, left)])
                file.write(buffer[:taken])
                left -= taken

    def _join(self, path: Path, upload: str) -> None:
        with path.open("wb") as whole:
            for part in sorted(self._objects.folder.glob(f"{upload}.*")):
                with part.open("rb") as file:
                    while os.sendfile(whole.fileno(), file.fileno(), None, 1 << 30):
                        pass
                part.unlink()

    def _address(self) -> tuple[str, dict[str, list[str]]]:
        address = urlsplit(self.path)
        return address.path, parse_qs(address.query, keep_blank_values=True)

    def _answer(self, status: int, headers: dict[str, str], body: bytes = b"", length: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        return None


class _Objects(ThreadingHTTPServer):
    """Which file each object is. A new one replaces the old one when it has arrived whole."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder, self.files = folder, dict[str, Path]()

    def new(self) -> Path:
        return self.folder / f"object{next(_NUMBERS)}"


def _xml(name: str, **fields: str) -> bytes:
    return f"<{name}>{''.join(f'<{field}>{value}</{field}>' for field, value in fields.items())}</{name}>".encode()


if __name__ == "__main__":
    serving = _Objects(Path(sys.argv[1]))
    print(serving.server_port, flush=True)
    serving.serve_forever()
