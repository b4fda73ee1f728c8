"""The one daemon of an instance that is in files: a lock that ends with its process, however that ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platform_core.errors import ConflictError

NAME = "daemon.lock"


@contextmanager
def only_daemon(home: Path) -> Iterator[None]:
    """Holds the lock of an instance's home.

    Raises:
        ConflictError: another process of this machine does.
    """
    with (home / NAME).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise ConflictError(
                f"The process {file.read().strip()} is the daemon of {home} already, and SQLite takes one: end"
                " that one. With production in PostgreSQL (HEADRACE_DAGSTER) others stand by for it."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
