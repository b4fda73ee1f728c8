"""How a step, wherever it runs, tells a test what it did: lines in files of a folder that both of them see."""

import os
import time
from pathlib import Path

FOLDER_VARIABLE = "BEHAVIOUR_NOTES"
BEAT = 0.1  # seconds between two lines of a heart


def note(name: str, line: str = "") -> None:
    """Appends a line, with one write, to the file of that name."""
    descriptor = os.open(_folder() / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.write(descriptor, f"{line or time.time()}\n".encode())
    os.close(descriptor)


def count(name: str) -> int:
    """Appends a line and says how many there are now."""
    note(name)
    return len((_folder() / name).read_text().splitlines())


def beat_until(name: str, there: str) -> None:
    """Shows for as long as a process lives that it does, until another file is there."""
    while not (_folder() / there).exists():
        note(name)
        time.sleep(BEAT)


def _folder() -> Path:
    return Path(os.environ[FOLDER_VARIABLE])


class Notes:
    """The same files as a test sees them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def lines(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def is_alive(self, heart: str, patience: float = 5 * BEAT) -> bool:
        """Whether a process still shows that it lives, within some seconds."""
        before, end = len(self.lines(heart)), time.monotonic() + patience
        while len(self.lines(heart)) == before:
            if time.monotonic() > end:
                return False
            time.sleep(BEAT)
        return True

    def say(self, name: str) -> None:
        """Makes what a step waits for be there."""
        (self.folder / name).touch()

    def forget(self, *names: str) -> None:
        for name in names:
            (self.folder / name).unlink(missing_ok=True)
