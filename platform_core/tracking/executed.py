"""Executed notebooks on their way from the step that has them to the version they are kept with, in one process.

Metadata goes that way, too, but is kept in the event log in full: it only names them.
"""

from collections import OrderedDict
from datetime import UTC, datetime

EXECUTED = "headrace/executed"  # in metadata: which notebook was executed, when and for how long
FAILED_CELL = "headrace/failed_cell"  # in metadata: of a notebook that did not reach its end
MOST = 4

_held: OrderedDict[str, bytes] = OrderedDict()


def hold(name: str, seconds: float, content: bytes) -> str:
    """Holds an executed notebook, and gives the text that names it."""
    told = f"{name} in {seconds:.1f} s, ended {datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f} UTC"
    _held[told] = content
    while len(_held) > MOST:
        _held.popitem(last=False)
    return told


def held(told: str) -> bytes | None:
    return _held.get(told)
