"""The log of decisions: one line of JSON for each attempt to change something, and for each one who was not let in."""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any, Literal

from starlette.requests import HTTPConnection

from platform_core.access.identity import Identity
from platform_core.access.rights import Rights

LOG = logging.getLogger("headrace.access")
Decision = Literal["allowed", "denied"]


def write_decisions_to(target: str) -> None:
    """Where decisions go from now on: a file, which may be rotated, or `-` for standard error."""
    for handler in list(LOG.handlers):
        LOG.removeHandler(handler)
    if target != "-":
        Path(target).parent.mkdir(parents=True, exist_ok=True)
    LOG.addHandler(logging.StreamHandler() if target == "-" else WatchedFileHandler(target, delay=True))
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody wants to do, without its arguments: they may hold secrets."""

    what: str
    permission: str = ""
    places: Iterable[str | None] = ()


def log_decision(
    decision: Decision, attempt: Attempt, connection: HTTPConnection | None, rights: Rights, reason: str = ""
) -> None:
    """Notes what somebody wanted to do, and whether they may."""
    facts = {
        "namespace": str(rights.deployment.namespace),
        "permission": attempt.permission,
        "locations": [place or "*" for place in attempt.places],
        "reason": reason,
    }
    _write(decision, attempt.what, connection, rights.identity, **facts)


def named(connection: HTTPConnection) -> str:
    """A request, as the log of decisions names one that was not looked into."""
    return f"{connection.scope.get('method', 'websocket')} {connection.scope['path']}"


def log_refusal(what: str, connection: HTTPConnection, reason: str, who: Identity | None = None) -> None:
    """Notes that somebody was not let in at all."""
    _write("denied", what, connection, who, reason=reason)


def undecided(error: Exception) -> str:
    """The reason of a refusal where asking whether something is allowed failed itself.

    What failed is named, and no more: its words may hold what a database was asked, or an address with a password.
    """
    return f"Whether this is allowed could not be found out ({type(error).__name__}), so that it was not done."


def _write(
    decision: Decision, what: str, connection: HTTPConnection | None, who: Identity | None, **facts: Any
) -> None:
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "event": "access",
        "decision": decision,
        "what": what,
        "user": who.user if who else None,
        "roles": sorted(who.roles) if who else [],
        "address": connection.client.host if connection is not None and connection.client else None,
        "request": connection.headers.get("x-request-id", "")[:64] if connection is not None else "",
        **facts,
    }
    LOG.log(logging.INFO if decision == "allowed" else logging.WARNING, json.dumps(line))
