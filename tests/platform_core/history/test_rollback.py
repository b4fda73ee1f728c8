"""Going back in one transaction."""

from datetime import UTC, datetime, timedelta

import pytest

from platform_core.errors import ConflictError, NotFoundError
from platform_core.history.rollback import plan_rollback, roll_back
from platform_core.namespaces import PRODUCTION
from tests.platform_core.history.values import TESS, Writer, orders


def _shown(write: Writer) -> dict[tuple[str, str], str]:
    return {(item.version.asset, item.version.partition): item.version.id for item in write.catalog.current(TESS)}


def test_a_namespace_shows_again_all_it_showed_at_a_transaction(write: Writer) -> None:
    write(orders(), "shop/orders", "2026-01")
    then = write(orders(), "shop/model")
    before = _shown(write)
    write(orders(price=[1.0, 2.0, 3.0]), "shop/orders", "2026-01")
    write(orders(), "shop/orders", "2026-02")
    steps = plan_rollback(write.catalog, TESS, then.transaction)
    assert [(step.partition, step.after) for step in steps] == [
        ("2026-01", before["shop/orders", "2026-01"]),
        ("2026-02", None),
    ]
    number = roll_back(write.catalog, TESS, steps, "back")
    assert _shown(write) == before
    assert write.catalog.transaction(number).kind == "rollback"
    assert plan_rollback(write.catalog, TESS, then.transaction) == []


def test_going_back_can_itself_be_taken_back(write: Writer) -> None:
    first = write(orders())
    second = write(orders(price=[1.0, 2.0, 3.0]))
    roll_back(write.catalog, TESS, plan_rollback(write.catalog, TESS, first.transaction), "back")
    roll_back(write.catalog, TESS, plan_rollback(write.catalog, TESS, second.transaction), "forth")
    assert _shown(write) == {("shop/orders", ""): second.id}


def test_only_the_assets_that_are_named_go_back(write: Writer) -> None:
    then = write(orders(), "shop/orders").transaction
    write(orders(price=[1.0, 2.0, 3.0]), "shop/orders")
    write(orders(), "shop/model")
    assert {step.asset for step in plan_rollback(write.catalog, TESS, then, ["shop/model"])} == {"shop/model"}


def test_a_time_will_do(write: Writer) -> None:
    first = write(orders())
    write(orders(price=[1.0, 2.0, 3.0]))
    moment = write.catalog.transaction(first.transaction).committed_at + timedelta(microseconds=1)
    (step,) = plan_rollback(write.catalog, TESS, moment)
    assert step.after == first.id


def test_without_its_own_a_namespace_shows_its_parents_again(write: Writer) -> None:
    inherited = write(orders(), namespace=PRODUCTION)
    write(orders(price=[1.0, 2.0, 3.0]))
    roll_back(write.catalog, TESS, plan_rollback(write.catalog, TESS, inherited.transaction), "back")
    assert _shown(write) == {("shop/orders", ""): inherited.id}


def test_what_moved_since_the_plan_is_not_overwritten(write: Writer) -> None:
    first = write(orders())
    write(orders(price=[1.0, 2.0, 3.0]))
    steps = plan_rollback(write.catalog, TESS, first.transaction)
    newest = write(orders(price=[4.0, 5.0, 6.0]))
    with pytest.raises(ConflictError, match="shop/orders"):
        roll_back(write.catalog, TESS, steps, "back")
    assert _shown(write) == {("shop/orders", ""): newest.id}


def test_a_version_that_was_given_up_cannot_be_gone_back_to(write: Writer) -> None:
    first = write(orders())
    write(orders(price=[1.0, 2.0, 3.0]))
    assert write.catalog.forget([first.id]) == [first.id]
    with pytest.raises(NotFoundError, match="was given up on"):
        plan_rollback(write.catalog, TESS, first.transaction)


def test_a_moment_that_has_not_come_is_refused(write: Writer) -> None:
    write(orders())
    with pytest.raises(NotFoundError, match="There is no transaction 99"):
        plan_rollback(write.catalog, TESS, 99)
    with pytest.raises(NotFoundError, match="UTC is still to come"):
        plan_rollback(write.catalog, TESS, datetime.now(UTC) + timedelta(hours=1))
    assert len(plan_rollback(write.catalog, TESS, 0)) == 1
