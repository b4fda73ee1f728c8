"""Runs dbt inside the step's own process, where its libraries are loaded already."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator
from dagster_dbt.asset_utils import get_subset_selection_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from platform_core.dbt.project import project_folder

RECEIPT = "receipt.json"
PARTIAL_PARSE = "partial_parse.msgpack"
_QUIETLY = ("--no-use-colors", "--log-level", "none")


@dataclass
class Outcome:
    """What one `dbt build` did: its events, what it committed, and sentences about what failed."""

    messages: list[DbtCoreCliEventMessage] = field(default_factory=list)
    receipts: list[Mapping[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def build(
    context: dg.AssetExecutionContext,
    parsed: Path,
    manifest: Mapping[str, Any],
    select: str,
    translator: DagsterDbtTranslator,
) -> Outcome:
    """`dbt build` of what the step has selected, for the partitions of its run.

    Args:
        parsed: the folder with the project's partial parse, so that dbt does not parse again.
    """
    outcome = Outcome()
    selection, indirect = get_subset_selection_for_context(context, manifest, select, None, None, translator, None)
    with tempfile.TemporaryDirectory(dir=parsed.parent) as scratch:
        shutil.copy(parsed / PARTIAL_PARSE, scratch)
        receipt = Path(scratch) / RECEIPT
        with _variables(context, receipt, indirect):
            _invoke(["build", *selection], Path(scratch), context, outcome)
        if receipt.is_file():
            outcome.receipts = json.loads(receipt.read_text())
    return outcome


def _invoke(arguments: Sequence[str], target: Path, context: dg.AssetExecutionContext, outcome: Outcome) -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    def take(event: Any) -> None:
        message = _as_message(event)
        if message.is_result_event:
            outcome.messages.append(message)
            context.log.info(str(message))

    try:
        result = dbtRunner(callbacks=[take]).invoke([*_QUIETLY, *arguments, *_places(target)])
    finally:
        # After a failure dbt-duckdb keeps its database, and with it the tables and the plugin of this run.
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    if not result.success:
        outcome.failures = _sentences(result) or [_told(str(result.exception))]


def _places(target: Path) -> list[str]:
    project = str(project_folder())
    return [f"--project-dir={project}", f"--profiles-dir={project}", f"--target-path={target}", f"--log-path={target}"]


def _as_message(event: Any) -> DbtCoreCliEventMessage:
    from dbt_common.events.functions import msg_to_dict

    return DbtCoreCliEventMessage(raw_event=msg_to_dict(event), event_history_metadata={})


def _sentences(result: Any) -> list[str]:
    """What dbt says of each node that failed, with the file it is in."""
    failed = [
        node for node in getattr(result.result, "results", ()) if node.status in ("error", "fail", "runtime error")
    ]
    return [f"{node.node.name} ({node.node.original_file_path}): {_told(str(node.message))}" for node in failed]


def _told(message: str) -> str:
    """The reason in one line, without dbt's heading that names the node again."""
    heading, _, reason = message.strip().partition("\n")
    return " ".join((reason or heading).split()).rstrip(".")


@contextmanager
def _variables(context: dg.AssetExecutionContext, receipt: Path, indirect: str | None) -> Iterator[None]:
    """What the plugin has to know of the run. Variables, because dbt makes the plugin, and on the command line too."""
    partitioned = context.has_partition_key or context.has_partition_key_range
    variables = {
        "HEADRACE_DBT_PARTITIONS": json.dumps(list(context.partition_keys) if partitioned else []),
        "HEADRACE_DBT_RECEIPT": str(receipt),
        "HEADRACE_DBT_RUN": json.dumps([context.run.run_id, context.op_execution_context.op_handle.name]),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    } | ({"DBT_INDIRECT_SELECTION": indirect} if indirect else {})
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
