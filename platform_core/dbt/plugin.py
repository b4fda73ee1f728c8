"""What dbt-duckdb loads into its process: gives models their inputs from the store and takes their results into it.

The macros of the dbt project call it through dbt-duckdb's one hook for plugins, `store`, with a verb as format:
`resolve` and `resume` before the models, `stage` for each model, `publish` once after the tests.
"""

import json
import os
import re
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.adapters.duckdb.utils import TargetConfig

from platform_core.dbt.code_versions import code_version, goes_on, is_compiled
from platform_core.dbt.looking import LOOK, LookingSession
from platform_core.dbt.project import code_versions
from platform_core.dbt.session import Model, Session
from platform_core.dbt.verdicts import FAILED, DbtTest, Ended, refusals
from platform_core.errors import CheckError, UnsupportedValueError

_NO_DATA = frozenset({"macro.headrace.in_partitions"})  # macros that are the same text whatever the namespace holds
_NOT_KEPT = re.compile(r"\b(INTERVAL|UNION)\b")  # also as a part of a list or struct; Parquet has no such type


class Plugin(BasePlugin):
    """Named `headrace` in profiles.yml."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:  # noqa: ARG002
        self._session = (LookingSession if LOOK in os.environ else Session).from_environment()
        self._lock = threading.Lock()  # dbt's threads may ask for one asset at once
        self._resolved: set[str] = set()

    def configure_connection(self, conn: Any) -> None:
        conn.execute("set global TimeZone = 'UTC'")  # otherwise times carry the zone of the machine that ran them
        conn.execute("create schema if not exists headrace")
        conn.execute(
            "create table headrace.partitions as select unnest($1::varchar[]) as key", [self._session.partitions]
        )
        conn.execute("create table headrace.written (relation varchar, written_at timestamp)")
        self._connection = conn

    def store(self, target_config: TargetConfig) -> None:
        verb = target_config.location.format if target_config.location else ""
        getattr(self, f"_{verb}")(target_config)

    def _resolve(self, target: TargetConfig) -> None:
        """Shows an asset that this invocation does not build as a view of its current versions."""
        asset = target.config["asset"]
        with self._lock:
            if asset in self._resolved or (target.config["optional"] and not self._session.is_shown(asset)):
                return
            files = self._session.resolve(target.config["unique_id"], asset)
            self._show(target, "view", files)
            written = [str(target.relation), self._session.written_at(asset)]
            self._connection.cursor().execute("insert into headrace.written values ($1, $2)", written)
            self._resolved.add(asset)

    def _resume(self, target: TargetConfig) -> None:
        """Puts the version before of a model that goes on from it in its place, as a table of its own."""
        if files := self._session.resume(target.config["unique_id"], target.config["asset"]):
            self._show(target, "table", files)
            target.config["resumed"] = True

    def _stage(self, target: TargetConfig) -> None:
        """Writes what a model has become, and from then on shows the files in its place."""
        node = target.config.model
        _require_supported(node)
        reads = tuple(json.loads(target.location.path)) if target.location else ()
        model = Model(
            node.unique_id, _asset(node), self._code_version(node), _partition_by(node), reads, _sensitive(node)
        )
        relation = self._connection.cursor().sql(f"select * from {target.relation}")
        _require_storable(relation)
        files = self._session.stage(model, relation)
        if target.relation.is_table:
            self._connection.cursor().execute(f"drop table {target.relation}")
        self._show(target, "view", files)

    def _code_version(self, node: Any) -> str:
        """That of the SQL that ran, but where it may differ from time to time, that of the code as Dagster knows it."""
        ran = code_version(node.to_dict(omit_none=False), {})
        if not self._session.keeps:
            return ran
        if not goes_on(node.config) and _NO_DATA.issuperset(node.depends_on.macros):
            return ran  # without a look at the whole project, which compiles it after an edit
        with self._lock:
            known = code_versions().get(node.unique_id)
        return known if known and (goes_on(node.config) or not is_compiled(known)) else ran

    def _publish(self, target: TargetConfig) -> None:
        """Commits what was staged and passed its tests, keeps the rest unseen, and leaves a receipt."""
        ended = {name: Ended(**item) for name, item in target.config["ended"].items()}
        tests = [
            DbtTest(item["name"], tuple(item["reads"]), item["blocking"], ended.get(item["id"]))
            for item in target.config["tests"]
        ]
        receipt = self._session.publish(refusals(ended, tests))
        if path := os.environ.get("HEADRACE_DBT_RECEIPT"):
            Path(path).write_text(json.dumps([asdict(line) for line in receipt]))
        refused = [line.refused for line in receipt if line.refused]
        if refused and not any(item.status in FAILED for item in ended.values()):
            raise CheckError("; ".join(refused))  # otherwise dbt itself says what failed

    def _show(self, target: TargetConfig, kind: str, files: list[Path]) -> None:
        names = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
        cursor = self._connection.cursor()
        cursor.execute(f"create schema if not exists {target.relation.without_identifier()}")
        cursor.execute(f"create or replace {kind} {target.relation} as select * from read_parquet([{names}])")


def _require_supported(node: Any) -> None:
    if node.config.get("incremental_strategy") == "microbatch":
        raise UnsupportedValueError(
            f"{_asset(node)} asks for microbatch, which partitions take the place of: say meta.partition_by instead."
        )


def _require_storable(relation: Any) -> None:
    for name, kind in zip(relation.columns, map(str, relation.types), strict=True):
        if found := _NOT_KEPT.search(kind):
            raise UnsupportedValueError(
                f"column {name} is of type {kind}, and the store cannot hold {found[0]}: cast it to another type."
            )


def _asset(node: Any) -> str:
    return f"{node.fqn[1]}/{node.name}"


def _sensitive(node: Any) -> tuple[str, ...]:
    """The columns whose `meta` says `sensitive: true`."""
    said = {name: {**column.config.meta, **column.meta} for name, column in node.columns.items()}
    return tuple(name for name, meta in said.items() if meta.get("sensitive") is True)


def _partition_by(node: Any) -> str | None:
    column: str | None = node.config.meta.get("partition_by")
    return column
