"""What computing cost, by whom and what."""

from platform_core.catalog.accounting import Usage
from platform_core.costs import NOBODYS, Spending, spending

OWNERS = {"flights": "team:flight-operations"}
USAGE = [
    Usage("production", "flights/model", "2026-10", 1, 60.0, 2.0),
    Usage("branch/better", "flights/model", "2026-11", 1, 30.0, 1.0),
    Usage("production", "flights/fact", "2026-11", 1, 10.0, None),
    Usage("production", "other/fact", "2026-11", 1, 5.0, 9.0),
    Usage("production", "other/empty", "2026-11", 1, 0.0, None),
]


def test_sums_by_one_thing_or_several_with_the_dearest_first() -> None:
    assert spending(USAGE, ["team"], OWNERS) == [
        Spending((NOBODYS,), 5.0, 9.0),
        Spending(("team:flight-operations",), 100.0, 3.0),
    ]
    assert spending(USAGE, ["month", "asset"], OWNERS)[1:] == [
        Spending(("2026-10", "flights/model"), 60.0, 2.0),
        Spending(("2026-11", "flights/model"), 30.0, 1.0),
        Spending(("2026-11", "flights/fact"), 10.0, None),
    ]
    assert [one.keys for one in spending(USAGE, ["namespace"], {})] == [("production",), ("branch/better",)]
