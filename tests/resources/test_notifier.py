"""Addresses that cannot be used are told by their file; a heartbeat never stops the watch."""

from pathlib import Path

import pytest

from platform_core.errors import SettingsError
from resources.notifier import AppriseNotifier, LogNotifier

pytest.importorskip("apprise", reason="apprise is not installed: uv sync --extra alerts")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[1, 2", "is no file of owners with their addresses"),
        ("- a", "is no file of owners with their addresses"),
        ("default: nonsense", "is none that apprise knows"),
        ("default: json://127.0.0.1:1/", "Nobody took the message for team:x"),
    ],
)
def test_what_cannot_be_used_is_told(text: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "owners.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=told):
        AppriseNotifier(file=str(file)).tell("team:x", "title", "body")


def test_without_addresses_it_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    AppriseNotifier().tell("team:x", "title", "the sentence")
    LogNotifier().tell("team:x", "title", "the sentence")
    assert "the sentence" in caplog.text


def test_a_heartbeat_that_nobody_takes_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    AppriseNotifier(heartbeat="http://127.0.0.1:1/").beat()
    assert "The heartbeat was not taken" in caplog.text
    AppriseNotifier().beat()
