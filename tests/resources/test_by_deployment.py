"""Which resources a deployment has follows from the namespace it writes to."""

import pytest

from platform_core.io_manager import HeadraceIOManager
from resources.by_deployment import current_deployment, shared_resources
from resources.notifier import AppriseNotifier, LogNotifier
from resources.sources import SourceFiles
from resources.warehouse import DuckDBWarehouse


@pytest.mark.parametrize(
    ("namespace", "deployment"), [("user/tess", "local"), ("branch/new", "branch"), ("production", "production")]
)
def test_every_namespace_has_a_deployment_with_the_same_resources(
    namespace: str, deployment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_NAMESPACE", namespace)
    assert current_deployment() == deployment
    kinds = {name: type(resource) for name, resource in shared_resources().items()}
    notifier = AppriseNotifier if deployment == "production" else LogNotifier
    assert kinds == {
        "io_manager": HeadraceIOManager,
        "source_files": SourceFiles,
        "notifier": notifier,
        "warehouse": DuckDBWarehouse,
    }


def test_resources_are_made_anew_for_each_location() -> None:
    assert shared_resources()["io_manager"] is not shared_resources()["io_manager"]
