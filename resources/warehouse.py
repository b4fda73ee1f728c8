"""The SQL engine of a deployment: DuckDB in the step's own process, or Athena."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import dagster as dg
import pyarrow as pa
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from platform_core.errors import SettingsError
from platform_core.settings import current_settings, read_settings
from platform_core.store.unloaded import Unloaded
from platform_core.warehouse import warehouse as mechanism
from platform_core.warehouse.engine import Engine
from platform_core.warehouse.query import Parameters

__all__ = ["AthenaWarehouse", "DuckDBWarehouse", "Unloaded", "Warehouse", "warehouse_here"]


class WarehouseSettings(BaseSettings):
    """Where queries run. Empty variables count as not set."""

    model_config = SettingsConfigDict(env_prefix="HEADRACE_", env_ignore_empty=True, frozen=True, extra="ignore")

    warehouse: Literal["duckdb", "athena"] = Field(default="duckdb", description="The engine that runs queries.")
    warehouse_timeout: float = Field(default=3600, gt=0, description="Seconds that a query may take.")
    athena_workgroup: str = Field(default="primary", description="The workgroup that pays for queries.")
    athena_database: str = Field(
        default="headrace", description="The database of the Glue catalog in which the tables of queries are made."
    )


class Warehouse(dg.ConfigurableResource[Any]):
    """SQL over what the namespace shows: `location.asset` is a table, with all of its partitions.

    Whatever a query reads is noted with the version that is computed from it.
    """

    timeout: float = 3600

    @abstractmethod
    def engine(self) -> Engine:
        """What runs the queries."""

    def query(
        self,
        sql: str,
        parameters: Parameters = None,
        *,
        partitions: Mapping[str, Sequence[str]] | None = None,
        timeout: float | None = None,
    ) -> pa.Table:
        """The result of one SELECT, in memory.

        Args:
            parameters: values for `?` in their order, or for `$name` by name.
            partitions: by table the partitions to read; all of those that are not named.
            timeout: seconds after which the query is stopped, in place of those of the deployment.

        Raises:
            WarehouseError: the query cannot be asked, fails or takes too long.
        """
        return self._warehouse.query(sql, parameters, partitions, timeout)

    def ctas(
        self,
        sql: str,
        parameters: Parameters = None,
        *,
        partitions: Mapping[str, Sequence[str]] | None = None,
        timeout: float | None = None,
    ) -> Unloaded:
        """The result of one SELECT as Parquet files, written by the engine: for what is large.

        Return it, and the files are the asset's version as they are; or `.read(pa.Table)` and go on from there.
        """
        return self._warehouse.ctas(sql, parameters, partitions, timeout)

    @property
    def _warehouse(self) -> mechanism.Warehouse:
        return mechanism.Warehouse(self.engine(), self.timeout)


class DuckDBWarehouse(Warehouse):
    """DuckDB in this process, over the files of versions."""

    def engine(self) -> Engine:
        from platform_core.warehouse.embedded import DuckDBEngine

        return DuckDBEngine()


class AthenaWarehouse(Warehouse):
    """Athena over the same files, in S3."""

    workgroup: str = "primary"
    database: str = "headrace"

    def engine(self) -> Engine:
        from platform_core.warehouse.athena import AthenaEngine

        return AthenaEngine(self.workgroup, self.database)


def warehouse_here() -> Warehouse:
    """The warehouse that the settings of this process name."""
    given = read_settings(WarehouseSettings)
    if given.warehouse == "duckdb":
        return DuckDBWarehouse(timeout=given.warehouse_timeout)
    if not current_settings().store.startswith("s3://"):
        raise SettingsError(
            "HEADRACE_WAREHOUSE=athena reads from S3; name the bucket: HEADRACE_STORE=s3://bucket/prefix."
        )
    return AthenaWarehouse(
        timeout=given.warehouse_timeout, workgroup=given.athena_workgroup, database=given.athena_database
    )
