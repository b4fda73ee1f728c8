"""All templates, synthesised once: nothing is asked of AWS, and no credentials are there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.aws.__main__ import use_own_node
from deploy.aws.installation import Installation, read_installation

use_own_node()

from aws_cdk.assertions import Template  # noqa: E402 - the CDK starts Node when it is imported

from deploy.aws.stacks import STACKS, synthesise  # noqa: E402


@pytest.fixture(scope="session")
def installation() -> Installation:
    return read_installation()


@pytest.fixture(scope="session")
def files(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        yield synthesise(installation, tmp_path_factory.mktemp("templates"))


@pytest.fixture(scope="session")
def templates(files: list[Path]) -> dict[str, Any]:
    """By the last word of their stack's name."""
    return {name: Template.from_string(file.read_text()) for name, file in zip(STACKS, files, strict=True)}
