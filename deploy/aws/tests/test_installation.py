"""The file of an installation is checked in sentences."""

from pathlib import Path

import pytest

from deploy.aws.installation import FILE, read_installation
from platform_core.errors import SettingsError
from platform_core.locations import all_locations, owners


def test_locations_come_from_the_one_list():
    installation = read_installation()
    assert list(installation.locations) == [location.name for location in all_locations()]
    assert dict(installation.locations) == owners()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('account = "123456789012"', 'account = "12"', "no account"),
        ("[queues.gpu]", "[queues.other]", "queue gpu"),
        ("[people]\nada", "[people]\nAda_L", "not a namespace"),
        ('region = "eu-central-1"', 'region = "eu-central-1"\nmoon = 1', "moon"),
        ("[database]", "[database", "TOMLDecodeError"),
    ],
)
def test_what_cannot_be_is_told_with_the_file(tmp_path: Path, before: str, after: str, said: str):
    text = FILE.read_text()
    assert before in text
    file = tmp_path / "mine.toml"
    file.write_text(text.replace(before, after))
    with pytest.raises(SettingsError, match=said) as told:
        read_installation(file)
    assert str(file) in str(told.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(SettingsError, match="missing"):
        read_installation(tmp_path / "missing.toml")
