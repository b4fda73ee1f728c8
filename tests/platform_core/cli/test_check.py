"""What holds between locations."""

from typing import Any

from platform_core.cli.check import shared_keys


def _declares(*keys: str) -> dict[str, Any]:
    return {"assets": [{"key": key} for key in keys], "problems": []}


def test_a_key_belongs_to_one_location() -> None:
    described = {"flights": _declares("shared/calendar", "flights/weather"), "airports": _declares("shared/calendar")}
    assert list(shared_keys(described)) == [
        "shared/calendar is declared by flights and airports; a key belongs to one location."
    ]


def test_locations_with_keys_of_their_own_hold_together() -> None:
    assert not list(shared_keys({"flights": _declares("flights/weather"), "airports": _declares("airports/weather")}))
