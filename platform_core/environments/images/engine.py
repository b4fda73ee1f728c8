"""Docker or Podman through its command, which is the one way to build that all of them have."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from platform_core.errors import FrozenError

PROGRAMS = ("docker", "podman")
_FIRST_WITH_BUILDKIT, _FIRST_WITH_BUILDX = 18, 23  # releases of the docker program
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Engine:
    """A container engine that answers. `builder` is `buildkit`, `docker` (its classic builder) or `buildah`."""

    program: str
    builder: str

    def run(self, *arguments: str, doing: str) -> str:
        """What a command of the engine prints.

        Raises:
            FrozenError: it failed, with the engine's own reason.
        """
        done = subprocess.run(
            [self.program, *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            raise FrozenError(f"{doing}: {explained(done.stderr or done.stdout)}")
        return done.stdout

    def lines(self, *arguments: str) -> Iterator[tuple[str, int | None]]:
        """The lines that a long command prints, each with None; at last an empty one with the exit code."""
        with subprocess.Popen(
            [self.program, *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            assert process.stdout
            for line in process.stdout:
                yield _COLOURS.sub("", line).rstrip("\n"), None
            yield "", process.wait()

    def inspect(self, wanted: Sequence[str], kind: Literal["image", "container"] = "image") -> list[dict[str, Any]]:
        """What the engine knows of images or containers; those that are gone are left out."""
        if not wanted:
            return []
        command = [self.program, kind, "inspect", *wanted]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        with suppress(ValueError):
            return list(json.loads(done.stdout or "[]"))
        return []

    def push(self, image: str, doing: str) -> str:
        """Sends an image to its registry, and gives its name by the digest that it has there.

        Podman knows a digest of every image, which is another one than that of what it sends.
        """
        repository = image.rpartition(":")[0]
        if self.builder == "buildah":
            with TemporaryDirectory() as folder:
                file = Path(folder) / "digest"
                self.run("push", "--quiet", "--digestfile", str(file), image, doing=doing)
                return f"{repository}@{file.read_text().strip()}"
        self.run("push", "--quiet", image, doing=doing)
        known: list[str] = self.inspect([image])[0].get("RepoDigests") or []
        return next(digest for digest in known if digest.startswith(f"{repository}@"))

    def has(self, image: str) -> bool:
        return bool(self.inspect([image]))

    @property
    def _environment(self) -> dict[str, str]:
        buildkit = {"buildkit": "1", "docker": "0"}.get(self.builder)
        return {**os.environ, **({"DOCKER_BUILDKIT": buildkit} if buildkit else {}), "BUILDKIT_PROGRESS": "plain"}


@lru_cache(maxsize=1)
def find_engine() -> Engine:
    """The container engine of this machine.

    Raises:
        FrozenError: none answers, with what each of them said.
    """
    reasons = []
    for program in PROGRAMS:
        reason = _why_not(program)
        if not reason:
            return Engine(program, _builder(program))
        reasons.append(f"{program}: {reason}")
    raise FrozenError(f"There is no container engine here to make images with ({'; '.join(reasons)}).")


def _why_not(program: str) -> str:
    """Why a program is no engine that answers; nothing when it is."""
    if shutil.which(program) is None:
        return "not installed"
    done = subprocess.run(
        [program, "info", "--format", "{{json .}}"], capture_output=True, text=True, errors="replace", check=False
    )
    said = json.loads(done.stdout or "{}") if done.stdout.startswith("{") else {}
    errors = said.get("ServerErrors") or ([done.stderr.strip()] if done.returncode else [])
    return explained(" ".join(errors)) if errors else ""


def _builder(program: str) -> str:
    """What builds: the classic builder only where somebody chose it or BuildKit is missing."""
    if os.path.basename(program) != "docker" or _is_podman(program):
        return "buildah"
    if chosen := os.environ.get("DOCKER_BUILDKIT"):
        return "docker" if chosen == "0" else "buildkit"
    return "buildkit" if _has_buildx(program) or _has_buildkit_inside(program) else "docker"


def _is_podman(program: str) -> bool:
    """Whether a program called docker is Podman under another name."""
    return "podman" in _said(program, "--version").lower()


def _has_buildx(program: str) -> bool:
    return bool(_said(program, "buildx", "version"))


def _has_buildkit_inside(program: str) -> bool:
    """Whether it is a docker that brings BuildKit itself, as those before 23 do, and needs no buildx for it."""
    release = _said(program, "version", "--format", "{{.Client.Version}}").strip()
    major, _, _ = release.partition(".")
    return major.isdigit() and _FIRST_WITH_BUILDKIT <= int(major) < _FIRST_WITH_BUILDX


def _said(program: str, *arguments: str) -> str:
    """What a program prints when it is asked about itself; nothing when it cannot tell."""
    done = subprocess.run([program, *arguments], capture_output=True, text=True, errors="replace", check=False)
    return "" if done.returncode else done.stdout


def explained(text: str) -> str:
    """What an engine's complaint comes to: its last line that says something, as a sentence."""
    lines = [
        line.strip() for line in text.splitlines() if line.strip() and not line.startswith(("See ", "Usage", "For "))
    ]
    said = [line for line in lines if re.match(r"(?i)error|denied|unauthorized", line)] or lines
    last = re.sub(r"(?i)^(error( response from daemon)?:\s*)+", "", said[-1]) if said else "it does not say why"
    return last.rstrip(".") + "."
