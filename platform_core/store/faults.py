"""What a disk or a network can do to a write, as sentences."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from platform_core.errors import HeadraceError, StoreError
from platform_core.store.store import Store

_FULL = "there is no space left; make room (`headrace gc` shows what can go) and run it again"
_REFUSED = "this process may not write there; ask for the right, or let HEADRACE_STORE name another place"
_REASONS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "a file would exceed the size that this process may write (`ulimit -f`)",
    errno.EROFS: _REFUSED,
    errno.EACCES: _REFUSED,
    errno.EPERM: _REFUSED,
    errno.EIO: "the disk reports errors; look at the machine before you write again",
}


@contextmanager
def writing(store: Store, asset: str) -> Iterator[None]:
    """Names the asset and the place when a write fails for a reason that is not the value's."""
    try:
        yield
    except HeadraceError:
        raise
    except Exception as error:
        if reason := _reason(error):
            raise StoreError(f"{asset} could not be written to {store.uri('')}: {reason}.") from error
        raise


def _reason(error: BaseException) -> str | None:
    """The reason by the number of the system's error, which polars and pyarrow give only as its text."""
    number = getattr(error, "errno", None)
    if number in _REASONS:
        return _REASONS[number]
    texts = {code: f"os error {code})" for code in _REASONS} if type(error).__module__.startswith("polars") else {}
    return next((_REASONS[code] for code, text in texts.items() if text in str(error)), None)
