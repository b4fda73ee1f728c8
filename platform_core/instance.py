"""The Dagster home of the current namespace."""

import os
from pathlib import Path

from platform_core.settings import Settings


def prepare_dagster_home(settings: Settings) -> Path:
    """Creates the Dagster home with the repository's dagster.yaml in it, and makes this process use it."""
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    link, target = home / "dagster.yaml", settings.repository / "dagster.yaml"
    if not link.is_symlink() or Path(os.readlink(link)) != target:
        scratch = home / f".dagster.yaml.{os.getpid()}"
        scratch.symlink_to(target)
        scratch.replace(link)  # at once: another process may be reading it
    os.environ["DAGSTER_HOME"] = str(home)
    return home
