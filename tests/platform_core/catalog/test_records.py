"""A version comes back from the database as it went in."""

from datetime import UTC, datetime, timedelta, timezone

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.records import in_utc
from platform_core.catalog.values import Column, InputVersion, Provenance, StoredFile
from tests.platform_core.drafts import TESS, draft

FULL = draft(
    "flights/weather",
    "2013-01",
    files=(StoredFile("user/tess/x/part-0.parquet", 123, "xxh3:00ff"), StoredFile("y", 2**40, "xxh3:1")),
    rows=0,
    schema=(Column("größe", "double"), Column("at", "timestamp[us, tz=UTC]")),
    metadata={"roc_auc": 0.75, "rows": 3, "good": True, "text": "é"},
    provenance=Provenance("run", "step", "tess", "c0de", "c0mm1t+", "e4v", (InputVersion("a", "b", "c", "d", "e"),)),
)


def test_every_field_of_a_version_survives(catalog: Catalog) -> None:
    (committed,) = catalog.commit(TESS, [FULL])
    assert catalog.version(FULL.id) == committed
    assert committed.transaction == 1


def test_a_version_with_nothing_but_the_necessary_survives(catalog: Catalog) -> None:
    (committed,) = catalog.commit(TESS, [draft("a")])
    assert catalog.version(committed.id) == committed
    assert committed.rows is None


def test_times_are_utc(catalog: Catalog) -> None:
    catalog.commit(TESS, [FULL])
    assert catalog.version(FULL.id).created_at.tzinfo == UTC
    (transaction,) = catalog.transactions(TESS)
    assert abs(transaction.committed_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_moment_without_a_zone_is_taken_as_utc_and_any_other_is_converted() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert in_utc(noon.replace(tzinfo=None)) == noon
    assert in_utc(noon.astimezone(timezone(timedelta(hours=3)))).hour == 12
