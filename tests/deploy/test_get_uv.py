"""uv is fetched for the machine at hand, and only the file that the index promises is let in."""

import hashlib
import io
import json
import os
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from deploy import get_uv
from deploy.get_uv import VERSION, IndexFile, NoUvError, Page, Platform, choose_wheel, index_url, program_of

DEBIAN = Platform("linux", "x86_64", (2, 36))
PAGE_URL = "https://index.example/simple/uv/"
TAGS = [
    "linux_armv6l",
    "macosx_10_12_x86_64",
    "macosx_11_0_arm64",
    "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
    "manylinux_2_17_x86_64.manylinux2014_x86_64",
    "manylinux_2_28_aarch64",
    "manylinux_2_17_i686.manylinux2014_i686",
    "musllinux_1_1_x86_64",
    "win_amd64",
]


def wheel_name(tag: str, version: str = VERSION) -> str:
    return f"uv-{version}-py3-none-{tag}.whl"


def json_page(names: list[str], **changed: object) -> Page:
    files = [
        {"filename": name, "url": f"../../files/{name}", "hashes": {"sha256": f"hash of {name}"}} for name in names
    ]
    body = json.dumps({"files": [file | changed for file in files]}).encode()
    return Page(body, PAGE_URL, "application/vnd.pypi.simple.v1+json")


def html_page(names: list[str]) -> Page:
    links = [f'<a href="../../files/{name}#sha256=abc{i}">{name}</a><br/>' for i, name in enumerate(names)]
    return Page("\n".join(links).encode(), PAGE_URL, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("here", "tag"),
    [
        (DEBIAN, "manylinux_2_17_x86_64.manylinux2014_x86_64"),
        (Platform("linux", "aarch64", (2, 36)), "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64"),
        (Platform("linux", "x86_64"), "musllinux_1_1_x86_64"),
        (Platform("linux", "x86_64", (2, 12)), "musllinux_1_1_x86_64"),
        (Platform("darwin", "aarch64"), "macosx_11_0_arm64"),
        (Platform("darwin", "x86_64"), "macosx_10_12_x86_64"),
    ],
    ids=lambda value: str(value),
)
def test_each_platform_gets_its_wheel(here: Platform, tag: str):
    names = [wheel_name("musllinux_1_1_x86_64", "0.1.0"), *(wheel_name(each) for each in TAGS), f"uv-{VERSION}.tar.gz"]
    assert choose_wheel(json_page(names), here).filename == wheel_name(tag)
    assert choose_wheel(html_page(names), here).filename == wheel_name(tag)


def test_a_page_in_json_gives_an_absolute_address_and_the_checksum():
    name = wheel_name("manylinux_2_17_x86_64")
    expected = IndexFile(name, f"https://index.example/files/{name}", f"hash of {name}")
    assert choose_wheel(json_page([name]), DEBIAN) == expected


def test_a_page_in_html_gives_an_absolute_address_and_the_checksum():
    name = wheel_name("manylinux_2_17_x86_64")
    assert choose_wheel(html_page([name]), DEBIAN) == IndexFile(name, f"https://index.example/files/{name}", "abc0")


@pytest.mark.parametrize("here", [Platform("win32", "x86_64"), Platform("linux", "mips"), Platform("sunos5", "x86_64")])
def test_a_platform_without_a_wheel_is_named(here: Platform):
    with pytest.raises(NoUvError, match=f"no wheel for {here}"):
        choose_wheel(json_page([wheel_name(tag) for tag in TAGS]), here)


def test_an_index_without_this_version_is_named():
    with pytest.raises(NoUvError, match=rf"index\.example.* has no wheel of uv {VERSION}"):
        choose_wheel(json_page([wheel_name(TAGS[4], "0.1.0")]), DEBIAN)


def test_a_wheel_without_a_checksum_is_refused():
    with pytest.raises(NoUvError, match="gives no SHA-256"):
        choose_wheel(json_page([wheel_name(TAGS[4])], hashes={}), DEBIAN)


def test_a_page_that_is_no_index_is_refused():
    with pytest.raises(NoUvError, match="is not a page of a package index"):
        choose_wheel(Page(b'{"message": "hello"}', PAGE_URL, "application/json"), DEBIAN)
    with pytest.raises(NoUvError, match="has no wheel"):
        choose_wheel(Page(b"<h1>Please log in</h1>", PAGE_URL, "text/html"), DEBIAN)


def archive_of(program: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"uv-{VERSION}.data/scripts/uv", program)
    return buffer.getvalue()


def test_the_program_comes_out_of_a_wheel_that_is_as_promised():
    archive = archive_of(b"the program")
    wheel = IndexFile("uv.whl", "", hashlib.sha256(archive).hexdigest())
    assert program_of(archive, wheel) == b"the program"


def test_a_wheel_with_another_checksum_is_refused():
    with pytest.raises(NoUvError, match=r"uv\.whl is not the file that the index promises"):
        program_of(archive_of(b"something else"), IndexFile("uv.whl", "", "0" * 64))


@pytest.mark.parametrize(
    ("environment", "index"),
    [
        ({}, "https://pypi.org/simple"),
        ({"UV_DEFAULT_INDEX": ""}, "https://pypi.org/simple"),
        ({"PIP_INDEX_URL": "https://a.example/simple/"}, "https://a.example/simple"),
        ({"UV_INDEX_URL": "https://b.example", "PIP_INDEX_URL": "https://a.example"}, "https://b.example"),
        ({"UV_DEFAULT_INDEX": "ours=https://c.example/s", "UV_INDEX_URL": "https://b.example"}, "https://c.example/s"),
        ({"UV_DEFAULT_INDEX": "https://me:a=b@c.example/s"}, "https://me:a=b@c.example/s"),
    ],
)
def test_the_index_is_the_one_of_the_environment(environment: dict[str, str], index: str):
    assert index_url(environment) == index


def test_a_login_goes_to_the_host_of_the_index_alone():
    index = "https://me:secret@a.example/simple"
    assert get_uv.with_login_of(index, "https://a.example/files/uv.whl") == "https://me:secret@a.example/files/uv.whl"
    assert get_uv.with_login_of(index, "https://b.example/files/uv.whl") == "https://b.example/files/uv.whl"


def test_a_program_is_put_whole_and_leaves_nothing_else(tmp_path: Path):
    destination = tmp_path / "bin" / "uv"
    get_uv.put(b"one", destination)
    get_uv.put(b"two", destination)
    assert destination.read_bytes() == b"two"
    assert os.access(destination, os.X_OK)
    assert os.listdir(destination.parent) == ["uv"]


def test_a_write_that_fails_leaves_the_old_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    get_uv.put(b"one", tmp_path / "uv")
    monkeypatch.setattr(os, "replace", _fail)
    with pytest.raises(OSError, match="no space"):
        get_uv.put(b"two", tmp_path / "uv")
    assert (tmp_path / "uv").read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["uv"]


def _fail(*_: object) -> None:
    raise OSError("no space left on device")


class Index(BaseHTTPRequestHandler):
    """A package index with one wheel, for those who are logged in."""

    archive = archive_of(b"#!/bin/sh\necho fetched\n")
    promised = hashlib.sha256(archive).hexdigest()
    logins: list[str | None]

    def do_GET(self) -> None:
        self.logins.append(self.headers["Authorization"])
        if self.path == "/simple/uv/":
            here = Platform.here()
            tag = "macosx_11_0_arm64" if here.system == "darwin" else f"musllinux_1_1_{here.machine}"
            self._answer(json_page([wheel_name(tag)], hashes={"sha256": self.promised}).body, "application/json")
        elif self.path.startswith("/files/"):
            self._answer(self.archive, "application/octet-stream")
        else:
            self.send_error(404)

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Test output is for tests."""


@contextmanager
def serving(**attributes: object) -> Iterator[tuple[str, list[str | None]]]:
    """The host and port of a running index, and the logins that it was given."""
    logins: list[str | None] = []
    server = HTTPServer(("127.0.0.1", 0), type("Served", (Index,), {"logins": logins, **attributes}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}", logins
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def without_uv(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(get_uv, "good_uv_on_path", lambda: None)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return monkeypatch


def test_a_machine_without_uv_gets_it_from_the_index(tmp_path: Path, without_uv: pytest.MonkeyPatch):
    with serving() as (host, logins):
        without_uv.setenv("UV_DEFAULT_INDEX", f"http://{host}/simple/")
        assert get_uv.main([str(tmp_path / "uv")]) == 0
    assert (tmp_path / "uv").read_bytes().startswith(b"#!/bin/sh")
    assert logins == [None, None]


def test_a_login_is_sent_and_never_printed(
    tmp_path: Path, without_uv: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    with serving(promised="0" * 64) as (host, logins):
        without_uv.setenv("UV_DEFAULT_INDEX", f"http://me:p%40ss@{host}/simple")
        assert get_uv.main([str(tmp_path / "uv")]) == 1
    assert logins == ["Basic bWU6cEBzcw=="] * 2
    printed = capsys.readouterr().err
    assert "is not the file that the index promises" in printed
    assert "p%40ss" not in printed
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("index", "reason"),
    [("http://127.0.0.1:9/simple", "cannot be read"), ("nonsense", "cannot be read"), (None, "answers 404")],
)
def test_an_index_out_of_reach_is_one_sentence(
    index: str | None,
    reason: str,
    tmp_path: Path,
    without_uv: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    with serving() as (host, _):
        without_uv.setenv("UV_DEFAULT_INDEX", index or f"http://{host}/elsewhere")
        assert get_uv.main([str(tmp_path / "uv")]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("uv is missing and cannot be fetched: ")
    assert reason in last
    assert last.endswith("or install uv yourself and put it on PATH.")


def test_an_old_python_is_told_so(tmp_path: Path, without_uv: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    without_uv.setattr(get_uv, "OLDEST_PYTHON", (4, 0))
    assert get_uv.main([str(tmp_path / "uv")]) == 1
    assert "needs Python 4.0 or newer" in capsys.readouterr().err


def fake_uv(folder: Path, version: str) -> Path:
    program = folder / "uv"
    program.write_text(f"#!/bin/sh\necho 'uv {version} (somewhere 2025-01-01)'\n")
    program.chmod(0o755)
    return program


def test_a_good_uv_on_path_is_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    installed = fake_uv(tmp_path, "0.9.1")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert get_uv.main([str(tmp_path / "bin" / "uv")]) == 0
    assert (tmp_path / "bin" / "uv").readlink() == installed


def test_an_old_uv_on_path_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    fake_uv(tmp_path, "0.8.24")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert get_uv.good_uv_on_path() is None
