"""What versions take: bytes in the store, seconds of steps and money. Counted by the database, all or what is new."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, case, func, select

from platform_core.catalog.dialects import number_in, sizes, text_in
from platform_core.catalog.reading import Reading
from platform_core.catalog.records import in_utc
from platform_core.catalog.tables import refs, transactions, versions
from platform_core.catalog.values import COST, PROMOTED_FROM, SECONDS
from platform_core.namespaces import Namespace


@dataclass(frozen=True, slots=True)
class Usage:
    """What the versions that a namespace wrote of an asset in a month (`2026-11`) took.

    Args:
        bytes: in the store; nothing of those whose files were given up.
        seconds: of the steps that computed them. What was promoted was computed, and counts, where it came from.
        cost: the same in money; None where no step had a price.
    """

    namespace: str
    asset: str
    month: str
    bytes: int
    seconds: float
    cost: float | None


class Accounting(Reading):
    """Sums over versions."""

    def usage(self, after: int = 0, until: int | None = None) -> list[Usage]:
        """What the versions that transactions above a number wrote, up to another one, took."""
        last = self.newest_transaction() if until is None else until
        rows = self._rows(_usage(), {"after": after, "until": last})
        return [Usage(**{**row, "bytes": int(row["bytes"]), "month": _month(row["month"])}) for row in rows]

    def given_up(self, since: datetime) -> dict[tuple[str, str], int]:
        """By namespace and asset, the bytes of versions whose files were given up after a time."""
        rows = self._rows(_given_up(), {"since": since})
        return {(row["namespace"], row["asset"]): int(row["bytes"]) for row in rows}

    def last_shown(self, namespace: Namespace, after: int = 0) -> dict[str, datetime]:
        """By asset when the version was computed that a namespace made current last, since a transaction."""
        rows = self._rows(_shown(), {"namespace": str(namespace), "after": after})
        return {row["asset"]: in_utc(row["created_at"]) for row in rows}


@lru_cache
def _usage() -> Select[Any]:
    month = func.substr(versions.c.id, 1, 6).label("month")  # ids begin with the time, in either database
    was_computed = text_in(versions.c.metadata, PROMOTED_FROM).is_(None)
    kept = case((versions.c.forgotten_at.is_(None), sizes(versions.c.files)), else_=0)
    place = (versions.c.namespace, versions.c.asset, month)
    query = select(
        *place,
        func.coalesce(func.sum(kept), 0).label("bytes"),
        func.coalesce(func.sum(case((was_computed, number_in(versions.c.metadata, SECONDS)))), 0.0).label("seconds"),
        func.sum(case((was_computed, number_in(versions.c.metadata, COST)))).label("cost"),
    )
    # Who wrote since then is in the few transactions since; the versions of those are found by an index.
    wrote = select(transactions.c.namespace).where(transactions.c.number > bindparam("after"))
    among = versions.c.transaction > bindparam("after"), versions.c.transaction <= bindparam("until")
    return query.where(versions.c.namespace.in_(wrote), *among).group_by(*place).order_by(*place)


@lru_cache
def _given_up() -> Select[Any]:
    place = (versions.c.namespace, versions.c.asset)
    query = select(*place, func.coalesce(func.sum(sizes(versions.c.files)), 0).label("bytes"))
    return query.where(versions.c.forgotten_at > bindparam("since")).group_by(*place)


@lru_cache
def _shown() -> Select[Any]:
    query = select(refs.c.asset, versions.c.created_at).join(versions, versions.c.id == refs.c.version)
    query = query.where(refs.c.namespace == bindparam("namespace"), refs.c.transaction > bindparam("after"))
    return query.order_by(refs.c.transaction)


def _month(digits: str) -> str:
    return f"{digits[:4]}-{digits[4:]}"
