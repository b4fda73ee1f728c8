"""A repository with locations, and a package index of toys, so that real venvs are made without any network."""

import base64
import hashlib
import os
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import MappingProxyType

ROOT = Path(__file__).resolve().parents[4]
UV = ROOT / ".headrace/bin/uv"

ROOT_PROJECT = """
[project]
name = "headrace"
version = "0.1.0"
requires-python = ">=3.11,<3.13"
"""
LOCATION = """
[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.11,<3.13"
dependencies = {dependencies}

[project.optional-dependencies]
{extras}

[dependency-groups]
{groups}

[tool.uv]
package = false
{more}

[[tool.uv.index]]
url = "{index}"
default = true

[tool.uv.sources]
headrace = {{ path = "../..", editable = true }}

[tool.headrace]
owner = "team:toys"
{headrace}
"""


class Index:
    """A package index with toys: each is one module that knows its version."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.url = ""

    def add(self, name: str, version: str) -> None:
        """Adds a version, or takes back that it was withdrawn."""
        package = self._folder / "simple" / name
        package.mkdir(parents=True, exist_ok=True)
        wheel = package / f"{name}-{version}-py3-none-any.whl"
        if not wheel.exists():
            _write_wheel(wheel, name, version)
        self._write_page(package)

    def withdraw(self, name: str, version: str, reason: str) -> None:
        self._write_page(self._folder / "simple" / name, {f"{name}-{version}-py3-none-any.whl": reason})

    def _write_page(self, package: Path, yanked: Mapping[str, str] = MappingProxyType({})) -> None:
        links = []
        for file in sorted(package.glob("*.whl")):
            mark = f' data-yanked="{yanked[file.name]}"' if file.name in yanked else ""
            links.append(f'<a href="{file.name}#sha256={_sha256(file)}"{mark}>{file.name}</a>')
        (package / "index.html").write_text("<!DOCTYPE html><html><body>" + "\n".join(links) + "</body></html>")

    @contextmanager
    def served(self) -> Iterator[None]:
        handler = partial(_Quiet, directory=str(self._folder))
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            self.url = f"http://127.0.0.1:{server.server_port}/simple"
            yield
            server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()


def _write_wheel(path: Path, name: str, version: str) -> None:
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{name}-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},sha256={_record_hash(text)},{len(text)}\n" for file, text in files.items())
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
        archive.writestr(f"{name}-{version}.dist-info/RECORD", record + f"{name}-{version}.dist-info/RECORD,,\n")


def _record_hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Repository:
    """A repository of locations that stand on toys."""

    folder: Path
    index: Index

    def folder_of(self, location: str) -> Path:
        return self.folder / "code_locations" / location

    def add(
        self,
        name: str,
        *dependencies: str,
        extras: str = "",
        groups: str = "",
        more: str = "",
        headrace: str = "",
        lock: bool = True,
    ) -> Path:
        """Adds or changes a location; its folder."""
        folder = self.folder_of(name)
        folder.mkdir(parents=True, exist_ok=True)
        needed = ["headrace", *dependencies]
        text = LOCATION.format(
            name=name,
            dependencies=needed,
            index=self.index.url,
            extras=extras,
            groups=groups,
            more=more,
            headrace=headrace,
        )
        (folder / "pyproject.toml").write_text(text)
        if lock:
            self.uv("lock", "--project", str(folder))
        self._list()
        return folder

    def _list(self) -> None:
        """Writes workspace.yaml."""
        names = sorted(folder.name for folder in (self.folder / "code_locations").iterdir() if folder.is_dir())
        entries = [
            f"  - python_module: {{module_name: code_locations.{name}.definitions, location_name: {name},"
            f" executable_path: code_locations/{name}/.venv/bin/python}}"
            for name in names
        ]
        (self.folder / "workspace.yaml").write_text("\n".join(["load_from:", *entries]) + "\n")

    def uv(self, *arguments: str) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        subprocess.run([UV, *arguments], check=True, capture_output=True, env=environment)

    def sync(self, location: str) -> Path:
        """Makes the location's own venv, as `make install` does."""
        folder = self.folder_of(location)
        self.uv("sync", "--locked", "--no-install-package", "headrace", "--project", str(folder))
        return folder / ".venv"


def new_repository(folder: Path, index: Index) -> Repository:
    (folder / "code_locations").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(ROOT_PROJECT)
    (folder / ".python-version").write_text("3.11\n")
    (folder / ".headrace/bin").mkdir(parents=True)
    (folder / ".headrace/bin/uv").symlink_to(UV)
    return Repository(folder, index)
