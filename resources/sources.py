"""Files that other systems deliver."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from platform_core.settings import current_settings
from platform_core.sources import Types, read_csv


class SourceFiles(dg.ConfigurableResource[Any]):
    """The folder into which other systems deliver. Paths are relative to it."""

    folder: str = ""

    def path(self, name: str) -> Path:
        return Path(self.folder or current_settings().sources) / name

    def read_csv(self, name: str, types: Types) -> pl.DataFrame:
        """One delivered file, with exactly the columns of `types`; an error names the file and what is wrong in it."""
        return read_csv(self.path(name), types)

    def read_partitions(self, pattern: str, types: Types, partitions: Sequence[str]) -> pl.DataFrame:
        """The files of several partitions as one table.

        Args:
            pattern: the name of a file, with `{partition}` in the place of the key.
        """
        return pl.concat([self.read_csv(pattern.format(partition=key), types) for key in partitions])
