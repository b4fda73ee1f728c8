"""Which databases can hold a catalog, and how one is opened."""

from pathlib import Path

import pytest
from sqlalchemy import text

from platform_core.catalog.engine import open_engine, without_password
from platform_core.errors import SettingsError


@pytest.mark.parametrize("url", ["", "not a url", "catalog.db"])
def test_what_is_no_url_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^HEADRACE_CATALOG: .* try sqlite:////path/catalog.db"):
        open_engine(url)


def test_a_database_that_is_not_supported_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match=r"^HEADRACE_CATALOG: mysql is not supported; use sqlite:////path/"):
        open_engine("mysql://host/db")


def test_the_folder_of_a_catalog_is_made(tmp_path: Path) -> None:
    open_engine(f"sqlite:///{tmp_path}/not/there/catalog.db")
    assert (tmp_path / "not" / "there" / "catalog.db").is_file()


def test_what_was_committed_outlives_a_crash_of_the_machine(tmp_path: Path) -> None:
    with open_engine(f"sqlite:///{tmp_path}/catalog.db").connect() as connection:
        pragmas = {name: connection.scalar(text(f"PRAGMA {name}")) for name in ("synchronous", "journal_mode")}
    assert pragmas == {"synchronous": 2, "journal_mode": "wal"}


def test_references_between_tables_are_enforced(tmp_path: Path) -> None:
    with open_engine(f"sqlite:///{tmp_path}/catalog.db").connect() as connection:
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann:canary@db/headrace", "postgresql://ann:***@db/headrace"),
        ("postgresql://ann:can@ry@db:5432/headrace", "postgresql://ann:***@db:5432/headrace"),
        ("postgresql//ann:canary@db", "postgresql//ann:***@db"),
        ("postgresql://ann@db/headrace", "postgresql://ann@db/headrace"),
        ("sqlite:////home/ann/catalog.db", "sqlite:////home/ann/catalog.db"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown
