"""The UI as `headrace ui` starts it, in a home of its own, and a browser to look at it with.

All of it lasts for one module: Playwright keeps an event loop running in this thread, which would disturb later tests.
HEADRACE_PICTURES=docs/images builds everything from the whole year and takes the pictures of the documentation.
"""

import gzip
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.end_to_end.conftest import FLIGHTS, REPOSITORY, Headrace, deliver

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
def headrace(browser: Browser, pictures: Path | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Headrace]:
    """The command in a namespace where nothing is built, and what a model needs has been delivered."""
    if not FLIGHTS.is_file():
        pytest.skip("the environment of the location flights is not installed (make test installs it)")
    home = tmp_path_factory.mktemp("browser")
    deliver(home / "sources", until="2013-12" if pictures else "2013-07")
    if not pictures:
        for path in (home / "sources" / "flights").glob("flights_*.csv.gz"):
            _thin_out(path)
    yield Headrace(home, "user/browser")
    shutil.rmtree(home)


def _thin_out(path: Path) -> None:
    header, *rows = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join([header, *rows[::EVERY]])))


@pytest.fixture(scope="module")
def address(headrace: Headrace) -> Iterator[str]:
    """The address of the running UI. When it is stopped, none of its processes may be left."""
    log = headrace.home / "ui.log"
    command = [str(REPOSITORY / ".venv" / "bin" / "headrace"), "ui", "--port", str(_free_port())]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=REPOSITORY, env=headrace.environment(), stdout=output, stderr=output)
    try:
        yield _announced_address(process, log)
        assert process.poll() is None, f"`headrace ui` ended while it was in use; its log:\n{log.read_text()}"
    finally:
        process.terminate()
        process.wait(PATIENCE)
        left = _processes_with(f"HEADRACE_HOME={headrace.home}")
        for pid in left:
            os.kill(pid, signal.SIGKILL)
    assert not left, f"`headrace ui` ended and left running: {left}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _announced_address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        if found := re.search(r"is up at (http://\S+)", log.read_text()):
            return found[1]
        time.sleep(0.1)
    pytest.fail(f"`headrace ui` did not say that it is up; its log:\n{log.read_text()}")


def _processes_with(variable: str) -> dict[int, str]:
    """The commands of running processes that have a variable of this value, by process id. Linux only."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if variable.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:  # it has ended, or is somebody else's
            continue
    return found


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
