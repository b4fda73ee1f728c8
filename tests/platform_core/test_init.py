"""The public names of the package, and that they cost nothing before they are used."""

import subprocess
import sys
from pathlib import Path

import pytest

import platform_core

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_public_names_are_these() -> None:
    assert platform_core.__all__ == ["Namespace", "build_location", "fact", "feature", "model", "prediction"]
    assert all(callable(getattr(platform_core, name)) for name in platform_core.__all__)


def test_another_name_is_refused_as_python_does() -> None:
    with pytest.raises(AttributeError, match="module 'platform_core' has no attribute 'features'"):
        _ = platform_core.features


def test_importing_the_package_imports_neither_dagster_nor_polars() -> None:
    code = "from platform_core import Namespace; import sys; print({'dagster', 'polars'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"
