"""What was told already, so that a problem is told once, now and then again, and when it is over."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

AGAIN_AFTER = timedelta(days=1)
MOST_BLOCKED = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong at present.

    key: what stays the same while it lasts, such as `check flights/weather volume`.
    mark: what changes each time it happens anew, such as the run.
    """

    key: str
    owner: str
    subject: str
    sentence: str
    link: str = ""
    blocked: tuple[str, ...] = ()
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What one owner is told at once."""

    owner: str
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """A problem that lasts: since when, how often it happened, when it was told."""

    owner: str
    subject: str
    since: float
    told: float
    times: int
    mark: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """The problems that were told and last."""

    entries: Mapping[str, _Entry]

    @classmethod
    def parse(cls, text: str | None) -> Ledger:
        return cls({key: _Entry(**entry) for key, entry in json.loads(text or "{}").items()})

    def to_text(self) -> str:
        return json.dumps({key: asdict(entry) for key, entry in self.entries.items()})

    def update(self, problems: Iterable[Problem], now: datetime) -> tuple[Ledger, list[Message]]:
        """The ledger from now on, and a message for each owner that there is something to tell."""
        entries: dict[str, _Entry] = {}
        lines: dict[str, list[str]] = defaultdict(list)
        for problem in problems:
            entry = self._entry(problem, now.timestamp())
            if entry.told == now.timestamp():
                lines[problem.owner].append(_told(problem, entry))
            entries[problem.key] = entry
        for key, entry in self.entries.items():
            if key not in entries:
                lasted = _for(now.timestamp() - entry.since)
                lines[entry.owner].append(f"✓ {entry.subject} is well again, after {lasted}.")
        return Ledger(entries), [_message(owner, told) for owner, told in lines.items()]

    def _entry(self, problem: Problem, now: float) -> _Entry:
        known = self.entries.get(problem.key)
        if known is None:
            return _Entry(problem.owner, problem.subject, now, now, 1, problem.mark)
        entry = replace(known, times=known.times + (known.mark != problem.mark), mark=problem.mark)
        return replace(entry, told=now) if now - known.told >= AGAIN_AFTER.total_seconds() else entry


def _told(problem: Problem, entry: _Entry) -> str:
    again = f" It lasts for {_for(entry.told - entry.since)} ({entry.times} times)." if entry.told > entry.since else ""
    lines = [f"✗ {problem.subject} (owner {problem.owner}): {problem.sentence}{again}"]
    if problem.blocked:
        more = len(problem.blocked) - MOST_BLOCKED
        names = ", ".join(problem.blocked[:MOST_BLOCKED]) + (f" and {more} more" if more > 0 else "")
        lines.append(f"  blocked downstream: {names}")
    return "\n".join([*lines, *([f"  {problem.link}"] if problem.link else [])])


def _message(owner: str, lines: list[str]) -> Message:
    bad = [line for line in lines if line.startswith("✗")]
    first = (bad or lines)[0].split(" ", 2)[1]
    more = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
    return Message(owner, f"Headrace: {first} {'needs you' if bad else 'is well again'}{more}", "\n".join(lines))


def _for(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
