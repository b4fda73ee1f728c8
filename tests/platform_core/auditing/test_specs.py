"""What an asset reads can be declared apart from it."""

import dagster as dg

from platform_core.auditing.specs import read_by, specs_of

MONTHS = dg.StaticPartitionsDefinition(["2013-01"])
DELIVERED = dg.AssetSpec("delivered", partitions_def=MONTHS)


@dg.asset(deps=[DELIVERED, "of_others"], partitions_def=MONTHS)
def read(orders: int) -> int:
    return orders


@dg.multi_asset(specs=[dg.AssetSpec("first"), dg.AssetSpec("second", deps=["first", "orders"])])
def both():
    raise NotImplementedError


def test_what_is_computed_and_what_is_only_declared_has_a_spec() -> None:
    assert [spec.key.to_user_string() for spec in specs_of([read, DELIVERED, both, object()])] == [
        "read", "delivered", "first", "second",
    ]  # fmt: skip


def test_what_is_read_is_known_with_its_partitions_where_it_is_declared() -> None:
    found = {spec.key.to_user_string(): spec.partitions_def for spec in read_by(read, [read, DELIVERED])}
    assert found == {"delivered": MONTHS, "of_others": None, "orders": None}


def test_what_is_computed_together_is_not_read() -> None:
    assert [spec.key.to_user_string() for spec in read_by(both, [both])] == ["orders"]
