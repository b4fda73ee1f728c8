"""The list of what is in an image, as CycloneDX, from the lock file."""

import json
import uuid
from typing import Any

from platform_core.environments.environment import Environment
from platform_core.environments.project import PLATFORM, Project
from platform_core.environments.uv import run_uv

_SPACE = uuid.UUID("5f0c9c5e-6a53-4d5c-9a33-0d3f6a2c7b11")  # of serial numbers that follow from a lock


def sbom(environment: Environment, project: Project) -> dict[str, Any]:
    """Every package that the lock allows in an environment, with addresses and hashes of its files.

    It says the same whenever it is made, so that making it again changes no image.
    """
    text = run_uv(
        *("export", "--frozen", "--format", "cyclonedx1.5", "--no-emit-package", PLATFORM),
        *("--project", str(project.folder), *project.arguments_for(environment.extras)),
        doing=f"The list of packages of {environment} cannot be made",
    )
    bill: dict[str, Any] = json.loads(text)
    bill["serialNumber"] = f"urn:uuid:{uuid.uuid5(_SPACE, environment.hash)}"
    bill["metadata"].pop("timestamp", None)
    bill["metadata"]["component"] |= {"type": "application", "version": environment.hash}
    bill["components"] = [*bill.get("components", []), *map(_system, environment.system_packages)]
    return bill


def _system(name: str) -> dict[str, Any]:
    package, _, version = name.partition("=")
    known = {"version": version, "purl": f"pkg:deb/debian/{package}@{version}"} if version else {}
    return {
        "type": "library",
        "bom-ref": f"deb:{package}",
        "name": package,
        "purl": f"pkg:deb/debian/{package}",
        **known,
    }
