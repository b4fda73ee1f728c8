"""What import contracts cannot see: private names of Dagster, and when a heavy library is imported."""

import pytest

from tests.repository.tree import Import, imports_under

HEAVY = {"boto3", "botocore", "kubernetes", "matplotlib", "mlflow", "sklearn", "torch"}
OURS = ["platform_core", "resources", "code_locations"]


def is_private_dagster(item: Import) -> bool:
    package, *inner = item.module.split(".")
    return package.startswith("dagster") and any(part.startswith("_") for part in inner)


@pytest.mark.parametrize("folder", [*OURS, "tests", "benchmarks", "deploy"])
def test_private_dagster_is_imported_in_one_module_alone(folder: str):
    found = [item for item in imports_under(folder) if is_private_dagster(item)]
    assert [str(item) for item in found if item.file != "platform_core/dagster_internals.py"] == []


@pytest.mark.parametrize("folder", OURS)
def test_no_heavy_library_is_imported_when_definitions_load(folder: str):
    found = [item for item in imports_under(folder) if item.at_load and item.module.split(".")[0] in HEAVY]
    assert [str(item) for item in found if "/tests/" not in item.file] == []
