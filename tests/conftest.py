"""Every test has a home and a namespace of its own: nothing ever reads or writes the `.headrace` of the repository."""

import logging
import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.opening import open_catalog
from platform_core.settings import Settings, current_settings
from platform_core.store.local import LocalStore
from platform_core.store.opening import open_store
from tests.known_models import KnownModels

# A shared machine may be slow for a moment, which says nothing about the code.
hypothesis_settings.register_profile("headrace", deadline=None, max_examples=60)
hypothesis_settings.load_profile("headrace")
# A line for each request to a server of the tests would hide why one of them failed.
logging.getLogger("werkzeug").setLevel(logging.WARNING)
# Repositories that tests make have no uv of their own; they find the one that `make install` brought.
os.environ["PATH"] = os.pathsep.join([str(Path(__file__).parents[1] / ".headrace" / "bin"), os.environ["PATH"]])


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of the user Tess, whose home is the test's own folder."""
    for name in [name for name in os.environ if name.startswith(("HEADRACE_", "DAGSTER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEADRACE_NAMESPACE", "user/tess")
    return current_settings()


@pytest.fixture(autouse=True)
def can_be_asked_to_end() -> None:
    """Some library leaves the request to end ignored, and a shell that starts something in the background an interrupt;
    whatever a test starts would inherit that, and never end.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def known_models(tmp_path_factory: pytest.TempPathFactory) -> KnownModels:
    return KnownModels(tmp_path_factory.mktemp("dbt"))


@pytest.fixture
def catalog(settings: Settings) -> Catalog:
    return open_catalog(settings.catalog)


@pytest.fixture
def store(settings: Settings) -> LocalStore:
    opened = open_store(settings.store)
    assert isinstance(opened, LocalStore)
    return opened
