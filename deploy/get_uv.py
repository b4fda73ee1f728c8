"""Puts uv at `.headrace/bin/uv`: a link to the one on PATH when it is new enough, else a wheel of the package index.

It needs nothing but Python, so that a machine with only Python and make can set up everything else.
The index is UV_DEFAULT_INDEX, UV_INDEX_URL or PIP_INDEX_URL, whichever is set first.
"""

from __future__ import annotations  # an old Python must get as far as being told that it is too old

import base64
import hashlib
import http.client
import io
import json
import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Iterable, Mapping, Sequence  # noqa: UP035 - an old Python again
from urllib.parse import parse_qs, unquote, urldefrag, urljoin, urlsplit, urlunsplit

VERSION = "0.13.8"
OLDEST_GOOD = (0, 9)
OLDEST_PYTHON = (3, 11)
DEFAULT_INDEX = "https://pypi.org/simple"
INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
# Not every mirror speaks JSON (PEP 691); pages in HTML (PEP 503) say the same.
BOTH_FORMS = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
DESTINATION = Path(__file__).resolve().parent.parent / ".headrace" / "bin" / "uv"
BY_HAND = "or install uv yourself and put it on PATH"


class NoUvError(Exception):
    """uv cannot be had; the text is one sentence that says why and what to do."""


@dataclass(frozen=True)
class Platform:
    """What decides which wheel runs here. `glibc` is (0, 0) where the C library is another one, such as musl."""

    system: str
    machine: str
    glibc: tuple[int, int] = (0, 0)

    @classmethod
    def here(cls) -> Platform:
        library, version = platform.libc_ver()
        machine = platform.machine().lower()
        glibc = numbers(version) if library == "glibc" else (0, 0)
        return cls(sys.platform, {"arm64": "aarch64", "amd64": "x86_64"}.get(machine, machine), glibc)

    def rank(self, tag: str) -> int:
        """How well a wheel's platform tag suits: 0 not at all, the higher the better."""
        found = re.fullmatch(r"(manylinux|musllinux|macosx)_(\d+)_(\d+)_(\w+)", tag)
        if found is None or found[4].replace("arm64", "aarch64") not in (self.machine, "universal2"):
            return 0
        if self.system != {"macosx": "darwin"}.get(found[1], "linux"):
            return 0
        if found[1] == "manylinux":
            return 2 if self.glibc >= (int(found[2]), int(found[3])) else 0
        return 1  # uv for musl is linked statically, so that it runs on any Linux

    def rank_of_wheel(self, filename: str) -> int:
        tags = filename[: -len(".whl")].rpartition("-")[2]
        return max(self.rank(tag) for tag in tags.split("."))

    def __str__(self) -> str:
        return f"{self.system} on {self.machine}"


def numbers(version: str) -> tuple[int, int]:
    """The first two numbers of a version; (0, 0) when it does not begin with any."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


@dataclass(frozen=True)
class IndexFile:
    """A file of the index: its absolute address and the SHA-256 that the index promises, empty when it gives none."""

    filename: str
    url: str
    sha256: str


@dataclass(frozen=True)
class Page:
    """What an address answered; `url` is where it came from after redirects."""

    body: bytes
    url: str
    content_type: str = ""

    def files(self) -> list[IndexFile]:
        """The files that this page of a simple index lists."""
        parse = _files_of_json if "json" in self.content_type else _files_of_html
        try:
            return list(parse(self.body.decode(errors="replace"), self.url))
        except (ValueError, KeyError, TypeError) as error:
            where = without_password(self.url)
            raise NoUvError(f"{where} is not a page of a package index; set UV_DEFAULT_INDEX, {BY_HAND}.") from error


def _files_of_json(text: str, page: str) -> Iterable[IndexFile]:
    for file in json.loads(text)["files"]:
        yield IndexFile(file["filename"], urljoin(page, file["url"]), file.get("hashes", {}).get("sha256", ""))


def _files_of_html(text: str, page: str) -> Iterable[IndexFile]:
    links = _Links()
    links.feed(text)
    for link in links.found:
        url, fragment = urldefrag(urljoin(page, link))
        sha256 = parse_qs(fragment).get("sha256", [""])[0]
        yield IndexFile(unquote(urlsplit(url).path.rpartition("/")[2]), url, sha256)


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


def choose_wheel(page: Page, here: Platform) -> IndexFile:
    """The wheel of uv `VERSION` that runs here."""
    where = without_password(page.url)
    pattern = re.compile(rf"uv-{re.escape(VERSION)}-py3-none-.+\.whl")
    ours = [file for file in page.files() if pattern.fullmatch(file.filename)]
    if not ours:
        raise NoUvError(f"{where} has no wheel of uv {VERSION}; set UV_DEFAULT_INDEX to another index, {BY_HAND}.")
    best = max(ours, key=lambda file: here.rank_of_wheel(file.filename))
    if not here.rank_of_wheel(best.filename):
        raise NoUvError(f"uv {VERSION} has no wheel for {here}; use Linux or macOS on x86-64 or ARM64, {BY_HAND}.")
    if not best.sha256:
        raise NoUvError(f"{where} gives no SHA-256 for uv; set UV_DEFAULT_INDEX to another index, {BY_HAND}.")
    return best


def index_url(environment: Mapping[str, str]) -> str:
    """The package index to use, without a trailing slash and without the name that uv allows before it (`name=url`)."""
    given = next((environment[name] for name in INDEX_VARIABLES if environment.get(name)), DEFAULT_INDEX)
    return re.sub(r"^[\w.-]+=(?=\w+:)", "", given).rstrip("/")


def without_password(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def with_login_of(index: str, url: str) -> str:
    """The address of a file, with the login of the index when both are on one host."""
    login, _, host = urlsplit(index).netloc.rpartition("@")
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{login}@{host}")) if login and parts.netloc == host else url


def download(url: str, accept: str = "*/*") -> Page:
    """What an address answers; a login in the address is sent to its host alone."""
    bare = without_password(url)
    try:
        request = urllib.request.Request(bare, headers={"Accept": accept, "User-Agent": "headrace"})
        login = urlsplit(url).netloc.rpartition("@")[0]
        if login:
            token = base64.b64encode(unquote(login).encode()).decode()
            request.add_unredirected_header("Authorization", f"Basic {token}")
        with urllib.request.urlopen(request, timeout=60) as response:
            return Page(response.read(), response.geturl(), response.headers.get("Content-Type", ""))
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise NoUvError(_why(bare, error)) from error


def _why(url: str, error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"{url} answers {error.code} {error.reason}; set UV_DEFAULT_INDEX to an index that has uv, {BY_HAND}."
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return (
            f"the certificate of {urlsplit(url).netloc} cannot be verified ({reason.verify_message});"
            f" install the package ca-certificates, point SSL_CERT_FILE to your certificates, {BY_HAND}."
        )
    return f"{url} cannot be read ({reason}); connect to it, set UV_DEFAULT_INDEX to an index near you, {BY_HAND}."


def program_of(archive: bytes, wheel: IndexFile) -> bytes:
    """The program inside a downloaded wheel, after its checksum was compared."""
    found = hashlib.sha256(archive).hexdigest()
    if found != wheel.sha256:
        raise NoUvError(
            f"{wheel.filename} is not the file that the index promises (SHA-256 {found[:12]}…, not"
            f" {wheel.sha256[:12]}…); try again, {BY_HAND}."
        )
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        return files.read(f"uv-{VERSION}.data/scripts/uv")


def put(program: bytes, destination: Path) -> None:
    """Writes a program in one step: whoever looks sees nothing, the one before, or the whole new one."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=destination.parent, prefix=".uv-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(program)
        os.chmod(temporary, 0o755)
        os.replace(temporary, destination)
    except BaseException:
        os.unlink(temporary)
        raise


def link(target: str, destination: Path) -> None:
    """A link rather than a copy: when that uv goes away, make notices and asks again."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    destination.unlink(missing_ok=True)
    destination.symlink_to(target)


def good_uv_on_path() -> str | None:
    """The uv that is installed already, if it reads our lock files."""
    found = shutil.which("uv")
    if found is None:
        return None
    answer = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
    return found if numbers(answer.stdout.replace("uv ", "", 1)) >= OLDEST_GOOD else None


def fetch(destination: Path, environment: Mapping[str, str]) -> None:
    """Downloads uv `VERSION` for this machine."""
    if sys.version_info < OLDEST_PYTHON:
        needed = ".".join(str(number) for number in OLDEST_PYTHON)
        raise NoUvError(f"Headrace needs Python {needed} or newer and this is {platform.python_version()}; install it.")
    index = index_url(environment)
    print(f"Fetching uv {VERSION} from {without_password(index)}", file=sys.stderr)
    wheel = choose_wheel(download(f"{index}/uv/", BOTH_FORMS), Platform.here())
    put(program_of(download(with_login_of(index, wheel.url)).body, wheel), destination)


def main(arguments: Sequence[str] = ()) -> int:
    """Takes the destination as its one argument, for those who want uv elsewhere."""
    destination = Path(arguments[0]) if arguments else DESTINATION
    try:
        installed = good_uv_on_path()
        if installed:
            link(installed, destination)
        else:
            fetch(destination, os.environ)
    except NoUvError as error:
        print(f"uv is missing and cannot be fetched: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
