"""Delivered files are found in the folder of the deployment."""

import gzip
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from platform_core import fact
from platform_core.errors import SourceError
from platform_core.settings import Settings
from resources.sources import SourceFiles
from tests.platform_core.runs import run

TYPES = {"id": pl.Int64}


def deliver(folder: Path, name: str, *ids: int) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(("id\n" + "".join(f"{number}\n" for number in ids)).encode()))


def test_files_lie_in_the_folder_of_the_settings(settings: Settings) -> None:
    assert SourceFiles().path("flights/x.csv") == settings.sources / "flights/x.csv"


def test_another_folder_can_be_configured(tmp_path: Path) -> None:
    assert SourceFiles(folder=str(tmp_path)).path("x.csv") == tmp_path / "x.csv"


def test_a_file_is_read_by_its_name(settings: Settings) -> None:
    deliver(settings.sources, "planes.csv.gz", 1, 2)
    assert SourceFiles().read_csv("planes.csv.gz", TYPES)["id"].to_list() == [1, 2]


def test_the_files_of_several_partitions_are_one_table_in_their_order(settings: Settings) -> None:
    for month, number in {"jan": 1, "feb": 2}.items():
        deliver(settings.sources, f"flights/{month}.csv.gz", number)
    frame = SourceFiles().read_partitions("flights/{partition}.csv.gz", TYPES, ["jan", "feb"])
    assert frame["id"].to_list() == [1, 2]


def test_a_partition_that_was_not_delivered_is_named(settings: Settings) -> None:
    deliver(settings.sources, "jan.csv.gz", 1)
    with pytest.raises(SourceError, match=r"feb\.csv\.gz was not delivered"):
        SourceFiles().read_partitions("{partition}.csv.gz", TYPES, ["jan", "feb"])


def test_an_asset_gets_it_as_a_resource(settings: Settings) -> None:
    @fact(key_prefix="t", partitions_def=dg.StaticPartitionsDefinition(["jan", "feb"]), partition_by="month")
    def rows(context: dg.AssetExecutionContext, source_files: SourceFiles) -> pl.DataFrame:
        frame = source_files.read_partitions("{partition}.csv.gz", TYPES, context.partition_keys)
        return frame.with_columns(month=pl.lit("jan"))

    deliver(settings.sources, "jan.csv.gz", 1)
    assert run(rows, of="jan", resources={"source_files": SourceFiles()}).success
