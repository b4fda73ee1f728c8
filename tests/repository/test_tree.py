"""The guards read imports rightly; otherwise they would be silent where they should speak."""

from tests.repository.tree import imports_of, locations, modules_under

SOURCE = """
import torch.nn
from dagster._core import events
from dagster import _check
if TYPE_CHECKING:
    import boto3
try:
    import mlflow
except ImportError:
    mlflow = None
class Trainer:
    import sklearn
    def fit(self):
        import kubernetes
        with open("x"):
            from matplotlib import pyplot
"""


def test_imports_are_told_apart_by_when_they_run():
    found = {item.module: item.at_load for item in imports_of(SOURCE)}
    assert found == {
        "torch.nn": True,
        "dagster._core": True,
        "dagster": True,
        "dagster._check": True,
        "mlflow": True,
        "sklearn": True,
        "kubernetes": False,
        "matplotlib": False,
    }


def test_an_import_says_where_it_is():
    assert str(imports_of("\nimport torch", "a/b.py")[0]) == "a/b.py:2 imports torch"


def test_the_demo_is_a_location():
    assert "flights" in locations()


def test_environments_are_no_part_of_a_folder():
    files = modules_under("code_locations")
    assert files
    assert not [file for file in files if ".venv" in file.parts or "site-packages" in file.parts]
