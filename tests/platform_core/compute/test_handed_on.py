"""What was found out once is told to steps elsewhere, as far as there is room."""

import pytest

from platform_core.compute import handed_on as module
from platform_core.compute.handed_on import MOST, VARIABLE, hand_on, handed_on, variables_of_what_was_found


@pytest.fixture(autouse=True)
def nothing_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FOUND", {})


def test_what_was_found_arrives_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    hand_on("models", "größer als 中文")
    for name, value in variables_of_what_was_found().items():
        monkeypatch.setenv(name, value)
    assert handed_on("models") == "größer als 中文"
    assert handed_on("other models") is None


def test_nothing_is_said_where_nothing_was_found_or_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert (variables_of_what_was_found(), handed_on("models")) == ({}, None)
    hand_on("models", "".join(chr(0x4E00 + number) for number in range(MOST)))
    assert variables_of_what_was_found() == {}
