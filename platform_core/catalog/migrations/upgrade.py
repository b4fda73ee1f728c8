"""Runs Alembic on a connection. Imported only when a catalog is not up to date."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

HERE = Path(__file__).parent


def upgrade(connection: Connection, *, baseline: str | None = None, to: str = "head") -> None:
    """Brings the tables to a revision within the transaction of the connection.

    `baseline` is the revision of tables that do not say themselves which one they are at.
    """
    config = _config()
    config.attributes["connection"] = connection
    if baseline is not None:
        command.stamp(config, baseline)
    command.upgrade(config, to)


def known_revisions() -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("version_locations", str(HERE / "revisions"))
    config.set_main_option("path_separator", "newline")
    return config
