"""Builds the image of an environment: a context of exactly what it needs, labels of where it came from."""

import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from platform_core.environments import marker
from platform_core.environments.environment import Environment, environment_of
from platform_core.environments.images import names
from platform_core.environments.images.base import ready_base
from platform_core.environments.images.contents import code_hash, copy_code, dockerfile
from platform_core.environments.images.digests import Digest, content_of, digest_of, note
from platform_core.environments.images.engine import Engine, explained
from platform_core.environments.images.sbom import sbom
from platform_core.environments.lock import Lock
from platform_core.environments.project import Project, project_of
from platform_core.environments.uv import find_uv, reason_in
from platform_core.errors import FrozenError
from platform_core.provenance import git_commit
from platform_core.settings import current_settings

Say = Callable[[str], None]
EXPIRY = 30 * 24 * 3600  # seconds after which an image that nobody's code asks for any more may be removed
_PASSED_ON = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@dataclass(frozen=True)
class Built:
    """An image that is there. `seconds` is None when it was there before."""

    location: str
    image: str
    environment: str
    seconds: float | None = None


def build_image(
    engine: Engine,
    location: str,
    extras: Iterable[str] = (),
    *,
    network: str = "",
    cache: bool = True,
    say: Say = lambda _: None,
) -> Built:
    """The image of a location's environment with the code as it is now, built unless it is there.

    Args:
        network: the network that downloads go through while it is built, such as `host`.
        cache: whether what earlier builds left may be used.
        say: takes progress, a line at a time.

    Raises:
        FrozenError: the lock is not frozen, the base cannot be had, or a step of the build failed.
    """
    settings = names.image_settings()
    environment = environment_of(location, extras, platform=settings.image_platform)
    code = code_hash(location)
    image = names.image_name(environment, code)
    if engine.has(image):
        if digest_of(image) is None:
            note(image, Digest(content_of(engine, image)))
        return Built(location, image, environment.hash)
    project = project_of(location)
    Lock(project.lock).require_frozen()
    base = ready_base(engine, settings.image_base, say)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="headrace-image-") as scratch:
        context = Path(scratch)
        _write_context(context, environment, project, _labels(environment, project, base, code))
        _require_unchanged(location, code)
        options = [*([f"--network={network}"] if network else []), *([] if cache else ["--no-cache"])]
        _build(engine, image, [*options, *_arguments(environment, project, base), str(context)], say)
    note(image, Digest(content_of(engine, image)))
    return Built(location, image, environment.hash, time.monotonic() - started)


def _require_unchanged(location: str, code: str) -> None:
    """What was copied is what the name says, unless somebody edited it meanwhile."""
    if code_hash(location) != code:
        raise FrozenError(f"The code of {location} was edited while its image was put together; build it again.")


def push(engine: Engine, built: Built) -> str:
    """Sends an image to its registry; its name by digest, which production asks for.

    Raises:
        FrozenError: the registry does not take it.
    """
    doing = f"The registry does not take {built.image}; log in to it, or set HEADRACE_IMAGES to one that does"
    digest = engine.push(built.image, doing=doing)
    note(built.image, Digest(content_of(engine, built.image), digest))
    return digest


def _write_context(context: Path, environment: Environment, project: Project, labels: Mapping[str, str]) -> None:
    root = current_settings().repository
    build = context / "build"
    folder = build / "code_locations" / environment.location
    folder.mkdir(parents=True)
    for path in (project.lock, project.folder / "pyproject.toml"):
        shutil.copy(path, folder)
    shutil.copy(_uv_for_linux(), build / "uv")
    shutil.copy(marker.__file__, build / "marker.py")
    certificates = os.environ.get("SSL_CERT_FILE", "")
    (build / "certificates.pem").write_bytes(Path(certificates).read_bytes() if certificates else b"")
    (context / "sbom.cdx.json").write_text(json.dumps(sbom(environment, project), indent=1) + "\n")
    copy_code(environment, root, context / "code", git_commit(root))
    # In one instruction: the classic builder makes an image for each label that is given as an option.
    quoted = (f"{name}={json.dumps(value)}".replace("$", "\\$") for name, value in labels.items())
    (context / "Dockerfile").write_text(f"{dockerfile(root).read_text()}LABEL {' '.join(quoted)}\n")


def _uv_for_linux() -> Path:
    settings = names.image_settings()
    if settings.image_uv is None and sys.platform != "linux":
        raise FrozenError("uv of this machine does not run in images; name one for Linux in HEADRACE_IMAGE_UV.")
    return settings.image_uv or find_uv()


def _arguments(environment: Environment, project: Project, base: str) -> list[str]:
    given = {
        "BASE": base,
        "SYSTEM_PACKAGES": " ".join(environment.system_packages),
        "PYTHON": environment.python,
        "LOCATION": environment.location,
        "CHOICE": " ".join(project.arguments_for(environment.extras)),
        "IDENTITY": json.dumps(environment.identity),
        **{name: os.environ[name] for name in (*_PASSED_ON, *_PROXIES) if os.environ.get(name)},
    }
    return [part for name, value in given.items() for part in ("--build-arg", f"{name}={value}")]


def _labels(environment: Environment, project: Project, base: str, code: str) -> Mapping[str, str]:
    """Where an image came from, and until when it is kept."""
    settings = current_settings()
    commit = git_commit(settings.repository)
    expires = "" if settings.writes_to.is_production else str(int(time.time()) + EXPIRY)
    return {
        names.ENVIRONMENT: environment.hash,
        names.LOCATION: environment.location,
        names.EXTRAS: ",".join(environment.extras),
        names.CODE: code,
        names.LOCK: environment.lock,
        names.COMMIT: commit,
        names.NAMESPACE: settings.namespace,
        names.OWNER: project.owner,
        names.EXPIRES: expires,
        names.BASE: base,
        "org.opencontainers.image.title": environment.location,
        "org.opencontainers.image.revision": commit,
        "org.opencontainers.image.base.name": base,
        "org.opencontainers.image.created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _build(engine: Engine, image: str, arguments: list[str], say: Say) -> None:
    printed: list[str] = []
    for line, code in engine.lines("build", "--tag", image, *arguments):
        if code is None:
            printed.append(line)
            if step := _step(line):
                say(step)
        elif code:
            raise FrozenError(f"The image {image} cannot be built: {_reason(printed)}")


def _step(line: str) -> str:
    """What a builder is at, from a line of it; nothing for other lines."""
    found = re.match(
        r"(?:Step (\d+/\d+) : |(?:\[\d+/\d+\] )?STEP (\d+/\d+): |#\d+ \[(?!internal)[^\]]*\] )(\w+ .*)", line
    )
    return f"{found[1] or found[2] or ''} {found[3]}".strip()[:100] if found else ""


def _reason(printed: list[str]) -> str:
    """Why a build failed: what uv or apt complained of, or else what the builder says last."""
    said = [re.sub(r"^(#\d+ )?(\d+\.\d+ )?", "", line).strip() for line in printed]
    own = [line for line in said if re.match(r"(error|cause|hint|E):", line)]
    return reason_in("\n".join(own)) if own else explained("\n".join(printed[-20:]))
