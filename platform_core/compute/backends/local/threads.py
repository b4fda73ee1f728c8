"""Whether this process can be forked: what other threads hold at that moment stays held in the copy for ever."""

import re
import threading
from contextlib import suppress

from platform_core.compute.processes import PROC

# Pools of libraries, started when they are first used, that a forked process waits for in vain. Others, such as those
# of OpenBLAS and Arrow, see to it themselves.
_POOLS = re.compile(r"polars-\d+|tokio-|rayon")


def threads_in_the_way() -> list[str]:
    """The names of threads because of which this process must not be forked."""
    own = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    return own + [name for name in _native() if _POOLS.match(name)]


def _native() -> list[str]:
    names = []
    for task in (PROC / "self" / "task").iterdir():
        with suppress(OSError):  # it ended meanwhile
            names.append((task / "comm").read_text().strip())
    return names
