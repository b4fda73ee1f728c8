"""A Dagster instance in which nothing happened yet, on SQLite: making its tables takes half a second of processor."""

import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from secrets import token_hex

import dagster as dg

from platform_core.instance import home_of, in_database, make_dagster_home
from platform_core.namespaces import Namespace
from platform_core.settings import Settings


class EmptyInstance:
    """Copies one empty instance to wherever a new one is wanted.

    Args:
        folder: where the original is made, at first use.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._original, self._settings = folder / "empty", settings
        self._lock = threading.Lock()

    def give(self, namespace: Namespace, repository: Path) -> Path:
        """The Dagster home of a namespace, whose instance has all its tables before two processes would make them."""
        home = home_of(self._settings, namespace)
        if in_database(namespace):
            make_dagster_home(self._settings, namespace, repository)
            with dg.DagsterInstance.from_config(str(home)):
                return home
        if not home.exists():
            self._copy_to(home)
        return make_dagster_home(self._settings, namespace, repository)

    def _copy_to(self, home: Path) -> None:
        self.make()
        home.parent.mkdir(parents=True, exist_ok=True)
        scratch = home.with_name(f".{home.name}.{token_hex(4)}")
        shutil.copytree(self._original, scratch, symlinks=True)
        try:
            scratch.rename(home)
        except OSError:  # somebody else made it at this moment
            shutil.rmtree(scratch)

    def make(self) -> None:
        """Makes the original, so that the first copy need not wait for it."""
        with self._lock:
            if self._original.exists():
                return
            making = self._original.with_suffix(".new")
            making.mkdir(parents=True)
            settings = making / "dagster.yaml"
            settings.touch()  # or Dagster warns that there is none
            with dg.DagsterInstance.local_temp(str(making)):
                settings.unlink()  # a copy has that of its repository
            _forget_its_name(making)
            making.rename(self._original)


def _forget_its_name(home: Path) -> None:
    """Lets each copy give itself an id of its own when it is asked for it."""
    runs = home / "history" / "runs.db"
    if runs.exists():
        with closing(sqlite3.connect(runs)) as connection, connection:
            connection.execute("DELETE FROM instance_info")
