"""Standing by until the lease is free, and keeping it while one leads."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from sqlalchemy.exc import DBAPIError

from platform_core.daemon.lease import Lease

_log = logging.getLogger("headrace.daemon")
LOOKS = 5  # looks at the lease in the time for which it holds: some may come late or fail


def stand_by(lease: Lease) -> int:
    """Waits until this process leads, however long, also while the database does not answer. Returns its token."""
    while True:
        try:
            lease.beat()
            if (token := lease.take()) is not None:
                return token
        except DBAPIError as error:
            _log.warning("The database of the lease does not answer: %s", _reason(error))
        time.sleep(min(1.0, lease.seconds / LOOKS))


@contextmanager
def kept(lease: Lease, token: int, lost: Callable[[], None]) -> Iterator[None]:
    """Renews the lease within, and gives it back at the end.

    Args:
        lost: called once, in a thread of its own, when another one has taken over.
    """
    ended = threading.Event()
    threading.Thread(target=_renew, args=(lease, token, ended, lost), name="lease", daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        with suppress(DBAPIError):  # it expires by itself
            lease.release(token)


def _renew(lease: Lease, token: int, ended: threading.Event, lost: Callable[[], None]) -> None:
    while not ended.wait(lease.seconds / LOOKS):
        try:
            holds = lease.renew(token)
            lease.beat()
        except DBAPIError as error:  # nothing of this daemon reaches the database either
            _log.warning("The lease could not be renewed: %s", _reason(error))
            continue
        if not holds:
            lost()
            return


def _reason(error: DBAPIError) -> str:
    return (str(error.orig).strip().splitlines() or [type(error).__name__])[0]
