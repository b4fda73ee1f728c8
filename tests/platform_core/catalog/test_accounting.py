"""What versions took is counted by the database, and what is new without reading what is old."""

from datetime import UTC, datetime, timedelta

from platform_core.catalog.accounting import Usage
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import COST, PROMOTED_FROM, SECONDS, StoredFile, new_version_id
from platform_core.namespaces import PRODUCTION
from tests.platform_core.drafts import TESS, draft

OCTOBER = datetime(2026, 10, 31, 23, 59, tzinfo=UTC)
FILES = (StoredFile("a", 100, "xxh3:0"), StoredFile("b", 20, "xxh3:0"))


def old(asset: str, **given):
    return draft(asset, id=new_version_id(OCTOBER), created_at=OCTOBER, files=FILES, **given)


def test_seconds_cost_and_bytes_by_namespace_asset_and_month(catalog: Catalog) -> None:
    took = {SECONDS: 2.0, COST: 0.5}
    catalog.commit(TESS, [old("t/a", partition="1", metadata=took), old("t/a", partition="2", metadata=took)])
    catalog.commit(TESS, [draft("t/b", metadata={SECONDS: 1.0}, files=FILES)])
    month = f"{datetime.now(UTC):%Y-%m}"
    assert catalog.usage() == [
        Usage("user/tess", "t/a", "2026-10", 240, 4.0, 1.0),
        Usage("user/tess", "t/b", month, 120, 1.0, None),
    ]


def test_only_what_is_new_is_counted_where_that_is_asked(catalog: Catalog) -> None:
    (first,) = catalog.commit(TESS, [old("t/a")])
    (second,) = catalog.commit(PRODUCTION, [old("t/a", namespace=PRODUCTION)])
    assert [item.namespace for item in catalog.usage(after=first.transaction)] == ["production"]
    assert [item.namespace for item in catalog.usage(until=first.transaction)] == ["user/tess"]
    assert catalog.usage(after=second.transaction) == []


def test_what_was_promoted_was_paid_for_where_it_was_computed(catalog: Catalog) -> None:
    took = {SECONDS: 2.0, COST: 0.5, PROMOTED_FROM: "20261121-001530-7f3a9c1b2d04"}
    catalog.commit(PRODUCTION, [old("t/a", namespace=PRODUCTION, metadata=took)])
    assert [(item.bytes, item.seconds, item.cost) for item in catalog.usage()] == [(120, 0.0, None)]


def test_bytes_that_were_given_up_count_no_more_and_are_told(catalog: Catalog) -> None:
    (first,) = catalog.commit(TESS, [old("t/a", metadata={SECONDS: 2.0})])
    catalog.commit(TESS, [old("t/a")])
    before = datetime.now(UTC) - timedelta(minutes=1)
    assert catalog.given_up(before) == {}
    catalog.forget([first.id])
    assert catalog.given_up(before) == {("user/tess", "t/a"): 120}
    assert catalog.given_up(before + timedelta(days=1)) == {}
    assert [(item.bytes, item.seconds) for item in catalog.usage()] == [(120, 2.0)]


def test_the_version_that_was_made_current_last_tells_the_age_of_an_asset(catalog: Catalog) -> None:
    catalog.commit(TESS, [old("t/a", partition="1")])
    (newer,) = catalog.commit(TESS, [draft("t/a", "2")])
    catalog.commit(TESS, [old("t/b")])
    shown = catalog.last_shown(TESS)
    assert shown == {"t/a": newer.created_at, "t/b": OCTOBER}
    assert set(catalog.last_shown(TESS, newer.transaction)) == {"t/b"}
    assert catalog.last_shown(PRODUCTION) == {}
