"""The UI as `headrace ui` starts it, in a home of its own, and a browser to look at it with.

All of it lasts for one module: Playwright keeps an event loop running in this thread, which would disturb later tests.
HEADRACE_PICTURES=docs/images builds everything from the whole year and takes the pictures of the documentation.
"""

import gzip
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.end_to_end.conftest import FLIGHTS, REPOSITORY, Headrace, deliver
from tests.end_to_end.running_ui import running_ui
from tests.known_models import KnownModels

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PATIENCE = 120  # seconds, on a slow machine that does other things too
EVERY = 50  # of the flights, one in so many will do where no picture is taken

TakePicture = Callable[[Page | Locator, str], None]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no browser is installed, none of: {', '.join(BROWSERS)} (on Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pictures() -> Path | None:
    """Where pictures are wanted, if they are."""
    folder = os.environ.get("HEADRACE_PICTURES")
    return REPOSITORY / folder if folder else None


@pytest.fixture(scope="module")
def headrace(
    browser: Browser, pictures: Path | None, tmp_path_factory: pytest.TempPathFactory, known_models: KnownModels
) -> Iterator[Headrace]:
    """The command in a namespace where nothing is built, and what a model needs has been delivered."""
    if not FLIGHTS.is_file():
        pytest.skip("the environment of the location flights is not installed (make test installs it)")
    home = tmp_path_factory.mktemp("browser")
    deliver(home / "sources", until="2013-12" if pictures else "2013-07")
    if not pictures:
        for path in (home / "sources" / "flights").glob("flights_*.csv.gz"):
            _thin_out(path)
    known_models.lend(home)
    yield Headrace(home, "user/browser")
    known_models.learn(home)
    shutil.rmtree(home)


def _thin_out(path: Path) -> None:
    header, *rows = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join([header, *rows[::EVERY]])))


@pytest.fixture(scope="module")
def address(headrace: Headrace) -> Iterator[str]:
    """The address of the running UI. When it is stopped, none of its processes may be left."""
    with running_ui(headrace, REPOSITORY) as ui:
        yield ui.address


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A fresh window in which paths are relative to the UI."""
    expect.set_options(timeout=PATIENCE * 1000)
    context = browser.new_context(base_url=address, viewport={"width": 1600, "height": 1000}, device_scale_factor=1.5)
    context.add_init_script("localStorage.setItem('dagster-nav-collapsed', 'true')")
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    yield page
    context.close()


@pytest.fixture
def take_picture(pictures: Path | None) -> TakePicture:
    """Keeps what is seen as a picture of the documentation, when pictures are wanted."""

    def take(seen: Page | Locator, name: str) -> None:
        if pictures:
            seen.screenshot(path=pictures / f"{name}.png", animations="disabled")

    return take
