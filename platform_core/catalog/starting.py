"""As of which transaction a run reads: chosen by whoever asks first, and the same for all that ask later."""

from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, Select, bindparam, func, insert, select

from platform_core.catalog.attempts import change
from platform_core.catalog.searching import Searching
from platform_core.catalog.tables import run_starts, transactions
from platform_core.catalog.values import AsOf
from platform_core.namespaces import Namespace

Key = dict[str, object]


class Starting(Searching):
    """Runs, and what they take notice of."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._as_of: dict[tuple[Namespace, str], AsOf] = {}

    def as_of_run(self, namespace: Namespace, run: str) -> AsOf:
        """What a run reads, in whichever of its processes: what there was when it was first asked for, and its own.

        A process asks the database once for each run.
        """
        found = self._as_of.get((namespace, run))
        if found is None:
            found = self._as_of[namespace, run] = AsOf(self._start(namespace, run), run)
        return found

    def _start(self, namespace: Namespace, run: str) -> int:
        key: Key = {"namespace": str(namespace), "run": run}
        if rows := self._rows(_noted(), key):
            return int(rows[0]["transaction"])
        # Under the lock of writers: of several processes that ask at once, one chooses.
        return change(self._engine, lambda connection, _token: _choose(connection, key))


def _choose(connection: Connection, key: Key) -> int:
    if (noted := connection.scalar(_noted(), key)) is not None:
        return int(noted)
    newest = connection.scalar(select(func.max(transactions.c.number))) or 0
    connection.execute(insert(run_starts), key | {"transaction": newest})
    return newest


@lru_cache
def _noted() -> Select[Any]:
    same = (run_starts.c.namespace == bindparam("namespace"), run_starts.c.run == bindparam("run"))
    return select(run_starts.c.transaction).where(*same)
