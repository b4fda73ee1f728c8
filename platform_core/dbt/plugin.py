"""What dbt-duckdb loads into its process: gives models their inputs from the store and takes their results into it.

The macros of the dbt project call it through dbt-duckdb's one hook for plugins, `store`, with a verb as format:
`resolve` before the models, `stage` for each model, `publish` once after the tests.
"""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.adapters.duckdb.utils import TargetConfig

from platform_core.dbt.session import Model, Session


class Plugin(BasePlugin):
    """Named `headrace` in profiles.yml."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:  # noqa: ARG002
        self._session = Session.from_environment()

    def configure_connection(self, conn: Any) -> None:
        conn.execute("set global TimeZone = 'UTC'")  # otherwise times carry the zone of the machine that ran them
        self._connection = conn

    def store(self, target_config: TargetConfig) -> None:
        verb = target_config.location.format if target_config.location else ""
        getattr(self, f"_{verb}")(target_config)

    def _resolve(self, target: TargetConfig) -> None:
        """Shows an asset that this invocation does not build as a view of its current versions."""
        files = self._session.resolve(target.config["unique_id"], target.config["asset"])
        self._view_of_files(target, files)

    def _stage(self, target: TargetConfig) -> None:
        """Writes the view that a model is, and from then on shows the files in its place."""
        node = target.config.model
        model = Model(
            node.unique_id, _asset(node), node.compiled_code, _partition_by(node), tuple(node.depends_on.nodes)
        )
        relation = self._connection.cursor().sql(f"select * from {target.relation}")
        self._view_of_files(target, self._session.stage(model, relation))

    def _publish(self, target: TargetConfig) -> None:
        """Commits what was staged, except models that failed or whose tests did, and leaves a receipt."""
        receipt = self._session.publish(failed=set(target.config))
        if path := os.environ.get("HEADRACE_DBT_RECEIPT"):
            Path(path).write_text(json.dumps([asdict(line) for line in receipt]))

    def _view_of_files(self, target: TargetConfig, files: list[Path]) -> None:
        names = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
        cursor = self._connection.cursor()
        cursor.execute(f"create schema if not exists {target.relation.without_identifier()}")
        cursor.execute(f"create or replace view {target.relation} as select * from read_parquet([{names}])")


def _asset(node: Any) -> str:
    return f"{node.fqn[1]}/{node.name}"


def _partition_by(node: Any) -> str | None:
    column: str | None = node.config.meta.get("partition_by")
    return column
