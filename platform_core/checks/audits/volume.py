"""Is there as much of an asset as there usually is?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg

from platform_core.catalog.values import BYTES_IN_MEMORY, Version
from platform_core.checks.audits.audit import Judgement, Subject
from platform_core.checks.pictures import history_with_limits
from platform_core.checks.volume import FEWEST, Counted, Expected, expected_count
from platform_core.errors import listed

HISTORY = 120  # versions of an asset without partitions that are looked at


@dataclass(frozen=True, slots=True)
class VolumeAudit:
    """Rows and bytes of each partition against all others, or of an asset without partitions against its history."""

    blocking: bool = True
    name: str = "volume"
    description: str = "As many rows and bytes as there usually are, by median and MAD of the asset's own history."

    def judge(self, subject: Subject) -> Judgement:
        parts = measures(subject)
        if strangers := sorted(set(parts) - set(subject.partitions)) if subject.partitions else []:
            return Judgement(True, f"Not judged: it holds {listed(strangers)}, which the run was not asked for.")
        found = [_Found(part, *sizes, _history(subject, part, parts)) for part, sizes in parts.items()]
        strange = [sentence for item in found for sentence in item.sentences()]
        metadata: dict[str, Any] = {"rows": sum(item.rows for item in found)}
        if (last := found[-1]).expected_rows is not None:
            metadata["rows_against_history"] = dg.MetadataValue.md(last.picture())
        return Judgement(not strange, listed(strange, most=3) if strange else _too_few(found), metadata)


def volume(*, blocking: bool = True) -> VolumeAudit:
    """A check that an empty, a halved or a doubled load does not pass.

    With at least 8 earlier counts that vary by chance, one in 200 honest loads is told; see
    `platform_core.checks.volume`.
    """
    return VolumeAudit(blocking)


@dataclass(frozen=True, slots=True)
class _Found:
    partition: str
    rows: int
    bytes: int
    history: list[tuple[Counted, int | None]]

    @property
    def day(self) -> date | None:
        return day_of(self.partition)

    @property
    def expected_rows(self) -> Expected | None:
        return expected_count([counted for counted, _ in self.history], self.day)

    @property
    def expected_bytes(self) -> Expected | None:
        sizes = [Counted(size, counted.day) for counted, size in self.history if size is not None]
        return expected_count(sizes, self.day)

    def sentences(self) -> Iterator[str]:
        of = f" in {self.partition}" if self.partition else ""
        if self.rows == 0:
            yield f"there are no rows{of}"
        elif (rows := self.expected_rows) is not None and not rows.holds(self.rows):
            yield _outside("rows", self.rows, rows, of)
        elif (size := self.expected_bytes) is not None and not size.holds(self.bytes):
            yield _outside("bytes", self.bytes, size, of)

    def picture(self) -> str:
        expected = self.expected_rows
        assert expected is not None
        counts = [counted.count for counted, _ in self.history][-60:]
        return history_with_limits(counts, self.rows, expected.least, expected.most, "rows against history")


def _outside(what: str, count: int, expected: Expected, of: str) -> str:
    on = " on this weekday" if expected.by_weekday else ""
    return (
        f"{count:,} {what}{of}, where {expected.usual:,.0f} are usual{on} and"
        f" {expected.least:,.0f} to {expected.most:,.0f} expected ({expected.of} earlier ones)"
    )


def _too_few(found: list[_Found]) -> str | None:
    new = [item.partition for item in found if item.expected_rows is None]
    return f"Fewer than {FEWEST} earlier counts: only an empty load would be told." if new else None


def measures(subject: Subject) -> Mapping[str, tuple[int, int]]:
    """By partition rows and bytes in memory; a partition of the run without rows is there with zeros."""
    frame = subject.frame
    if subject.partition_by is None or subject.partition_by not in frame.columns:
        return {subject.partitions[0] if subject.partitions else "": (frame.height, int(frame.estimated_size()))}
    parts = frame.partition_by(subject.partition_by, as_dict=True)
    sizes = {str(key): (part.height, int(part.estimated_size())) for (key,), part in parts.items()}
    return dict.fromkeys(subject.partitions, (0, 0)) | sizes


def _history(
    subject: Subject, partition: str, parts: Mapping[str, tuple[int, int]]
) -> list[tuple[Counted, int | None]]:
    """Counts of the other partitions, those of this very value included; without partitions, of earlier versions."""
    if not subject.partitions:
        shown = subject.catalog.history(subject.namespace, subject.asset, limit=HISTORY)
        return [_counted(item.version) for item in reversed(shown) if _counts(item.version, subject.before)]
    others = subject.catalog.resolve(subject.namespace, subject.asset)
    earlier = [
        _counted(item.version) for key, item in others.items() if key not in parts and item.version.rows is not None
    ]
    return earlier + [(Counted(rows, day_of(key)), size) for key, (rows, size) in parts.items() if key != partition]


def _counts(version: Version, before: int | None) -> bool:
    return version.rows is not None and (before is None or version.transaction < before)


def _counted(version: Version) -> tuple[Counted, int | None]:
    day = day_of(version.partition) or (None if version.partition else version.created_at.date())
    return Counted(version.rows or 0, day), version.metadata.get(BYTES_IN_MEMORY)


def day_of(partition: str) -> date | None:
    """The day that a partition key names, such as 2026-03-01."""
    try:
        return date.fromisoformat(partition[:10]) if len(partition) >= len("2026-03-01") else None
    except ValueError:
        return None
