"""An image in which `python -m platform_core.compute.worker` runs the code of this repository, for tests.

The image itself brings no more than an interpreter of this one's version. The repository and the libraries that run
the tests are mounted read-only, at the same paths as here, so that nothing has to be built after an edit.
"""

import os
import sysconfig
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

IMAGE = os.environ.get("HEADRACE_TEST_IMAGE", "localhost/python:base")  # read before tests lose their HEADRACE_*
REPOSITORY = Path(__file__).resolve().parents[4]
LIBRARIES = Path(sysconfig.get_path("purelib")).resolve()

FOLDERS = (REPOSITORY, LIBRARIES)  # on the engine's machine, which has to be this one
VOLUMES = tuple(f"{folder}:{folder}:ro" for folder in FOLDERS)  # for Docker and for `ContainerBackend(mounts=...)`
VARIABLES: Mapping[str, str] = {"PYTHONPATH": os.pathsep.join(map(str, FOLDERS)), "PYTHONDONTWRITEBYTECODE": "1"}


def need_engine() -> str:
    """The address of a container engine that has the image, or a skipped test that says what is missing."""
    if reason := why_no_engine():
        pytest.skip(reason)
    return os.environ["DOCKER_HOST"]


@cache
def why_no_engine() -> str:
    """Why no test can start a container here; nothing when it can."""
    if not os.environ.get("DOCKER_HOST"):
        return "no container engine: DOCKER_HOST is not set"
    import docker

    client = docker.APIClient(base_url=os.environ["DOCKER_HOST"], version="auto", timeout=10)
    try:
        client.inspect_image(IMAGE)
    except docker.errors.ImageNotFound:
        return f"the engine at DOCKER_HOST has no image {IMAGE}: load one, or name another in HEADRACE_TEST_IMAGE"
    finally:
        client.close()
    return ""
