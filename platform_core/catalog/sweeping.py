"""Sweeps: what was asked, and each trial with its version in one transaction, so that any process can go on."""

from dataclasses import asdict, replace
from functools import lru_cache
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection, RowMapping, Select, bindparam, insert, select

from platform_core.catalog.records import version_to_row
from platform_core.catalog.searching import Condition, Searching
from platform_core.catalog.sweep_values import Sweep, Trial
from platform_core.catalog.tables import sweeps, trials, versions
from platform_core.catalog.values import NUMBER, SWEEP, TRIAL, Version
from platform_core.catalog.writing import move
from platform_core.errors import NotFoundError
from platform_core.namespaces import Namespace


class Sweeping(Searching):
    """Keeping sweeps and finding them."""

    def begin_sweep(self, namespace: Namespace, sweep: Sweep) -> Sweep:
        """Keeps what is asked, before the first trial starts."""

        def work(connection: Connection, number: int) -> None:
            connection.execute(insert(sweeps), asdict(sweep) | {"transaction": number})

        move(self._engine, namespace, "sweep", f"{sweep.id} of {sweep.asset}", work)
        return sweep

    def end_trial(self, namespace: Namespace, trial: Trial, draft: Version | None = None) -> Trial:
        """Keeps how a trial ended, and its version, which no ref shows. Of one that had ended nothing is changed.

        Returns what is kept of it.
        """
        marks = {TRIAL: "sweep", SWEEP: trial.sweep, NUMBER: trial.number}
        kept = None if draft is None else replace(draft, metadata={**draft.metadata, **marks})
        ended = replace(trial, version=kept.id if kept else None)

        def work(connection: Connection, number: int) -> None:
            if connection.scalar(_transaction_of(), {"of": trial.sweep, "this": trial.number}) is not None:
                return
            if kept is not None:
                connection.execute(insert(versions), version_to_row(kept) | {"transaction": number})
            connection.execute(insert(trials), asdict(ended) | {"namespace": str(namespace), "transaction": number})

        move(self._engine, namespace, "trial", f"{trial.number} of {trial.sweep}", work)
        return ended

    def sweep(self, text: str) -> Sweep:
        """The sweep of an id, of which the beginning or end will do.

        Raises:
            NotFoundError: there is none, or more than one.
        """
        found = [row["id"] for row in self._rows(select(sweeps.c.id))]
        fitting = [id for id in found if id == text] or [id for id in found if id.startswith(text) or id.endswith(text)]
        if len(fitting) != 1 or not text:
            told = f"There are {len(fitting)} sweeps" if fitting else "There is no sweep"
            raise NotFoundError(f"{told} '{text}'; `headrace sweep --list` shows what there is.")
        (row,) = self._rows(select(sweeps).where(sweeps.c.id == fitting[0]))
        return _sweep(row)

    def of_sweep(self, text: str) -> Condition:
        """What holds of the versions of a sweep alone, for a search."""
        return Condition(SWEEP, "=", self.sweep(text).id, "metric")

    def sweeps(self, namespace: Namespace, asset: str | None = None) -> list[Sweep]:
        """Those of a namespace and its parent, the newest first."""
        names = [str(item) for item in (namespace, namespace.parent) if item]
        query = select(sweeps).where(sweeps.c.namespace.in_(names)).order_by(sweeps.c.transaction.desc())
        return [_sweep(row) for row in self._rows(query if asset is None else query.where(sweeps.c.asset == asset))]

    def trials(self, sweep: str) -> list[Trial]:
        """Those that ended, in the order of the request."""
        return [_trial(row) for row in self._rows(_of(sweep).order_by(trials.c.number))]

    def ended_trials(self, sweep: str) -> set[int]:
        """The numbers of those that ended."""
        return {row["number"] for row in self._rows(select(trials.c.number).where(trials.c.sweep == sweep))}


@lru_cache  # it is asked for each trial, and takes longer to build than to answer
def _transaction_of() -> Select[Any]:
    same = (trials.c.sweep == bindparam("of"), trials.c.number == bindparam("this"))
    return select(trials.c.transaction).where(*same)


def _of(sweep: str) -> Any:
    return select(trials).where(trials.c.sweep == sweep)


def _sweep(row: RowMapping) -> Sweep:
    return Sweep(row["id"], row["namespace"], row["asset"], row["partition"], _json(row["request"]))


def _trial(row: RowMapping) -> Trial:
    reports = tuple((int(step), float(value)) for step, value in _json(row["reports"]))
    return Trial(
        row["sweep"], row["number"], row["state"], _json(row["parameters"]), row["seconds"], _json(row["metrics"]),
        reports, row["sentence"], row["version"],
    )  # fmt: skip


def _json(text: Any) -> Any:
    return from_json(text) if isinstance(text, str) else text
