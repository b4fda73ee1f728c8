"""What dbt said of the repository's models, for every home in which tests start a real location."""

import shutil
from pathlib import Path


class KnownModels:
    """What homes know of the repository's dbt models: to find out takes ten seconds, and is the same for all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def lend(self, home: Path) -> None:
        """Tells a new home what others found out."""
        shutil.copytree(self._folder, home / "dbt", dirs_exist_ok=True)

    def learn(self, home: Path) -> None:
        """Keeps what a home has found out."""
        for parsed in (home / "dbt").glob("parsed-*"):
            shutil.copytree(parsed, self._folder / parsed.name, dirs_exist_ok=True)
