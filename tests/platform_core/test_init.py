"""The public names of the package, and that they cost nothing before they are used."""

import subprocess
import sys
from pathlib import Path

import pytest

import platform_core

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_public_names_are_these() -> None:
    assert platform_core.__all__ == [
        *("Compute", "EventTime", "Known", "Namespace", "build_location", "drift", "fact", "feature", "gate"),
        *("log_figure", "log_metric", "log_params", "model", "notebook", "point_in_time_join", "prediction", "volume"),
    ]
    assert all(callable(getattr(platform_core, name)) for name in platform_core.__all__)


def test_another_name_is_refused_as_python_does() -> None:
    with pytest.raises(AttributeError, match="module 'platform_core' has no attribute 'features'"):
        _ = platform_core.features


def test_importing_the_package_imports_neither_dagster_nor_polars() -> None:
    code = "from platform_core import Namespace; import sys; print({'dagster', 'polars'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


def test_declaring_an_asset_imports_nothing_that_speaks_sql() -> None:
    """Which would be a tenth of the time in which a location of a thousand assets loads."""
    declared = "volume()])(lambda: None)"
    code = f"from platform_core import fact, volume; fact(name='a', key_prefix='t', checks=[{declared}"
    looked = "; import sys; print({'alembic', 'sqlalchemy'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code + looked], cwd=REPOSITORY, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "set()"
