"""Runs dbt inside the step's own process, where its libraries are loaded already."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator
from dagster_dbt.asset_utils import get_subset_selection_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from platform_core.dbt.looking import LOOK
from platform_core.dbt.project import nearest_parse, project_folder, scratch_folder
from platform_core.dbt.sentences import of_node
from platform_core.dbt.session import INPUTS, INSTEAD
from platform_core.dbt.verdicts import FAILED
from platform_core.errors import CheckError, listed
from platform_core.settings import as_if_in
from platform_core.tracking.looking import Asked

RECEIPT = "receipt.json"
PARTIAL_PARSE = "partial_parse.msgpack"
_QUIETLY = ("--no-use-colors", "--log-level", "none")
_ALWAYS = {
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DBT_INDIRECT_SELECTION": "eager",  # a model without its tests would not be published
}


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
    """`dbt build` of what the step has selected, for the partitions of its run, with all tests of the models in it.

    Args:
        parsed: the folder with the project's partial parse, so that dbt does not parse again.
    """
    outcome = Outcome()
    selection, _ = get_subset_selection_for_context(context, manifest, select, None, None, translator, None)

    def take(event: Any) -> None:
        message = _as_message(event)
        if message.is_result_event:
            outcome.messages.append(message)
            context.log.info(str(message))

    with _folder(parsed) as scratch:
        receipt = scratch / RECEIPT
        with as_if_in(_of_run(context, receipt) | _ALWAYS):
            result = _invoke(["build", *selection], scratch, take)
        if receipt.is_file():
            outcome.receipts = json.loads(receipt.read_text())
    if not result.success:
        outcome.failures = _sentences(result) or [_told(str(result.exception))]
    return outcome


@dataclass(frozen=True)
class Glance:
    """What one `dbt build` of one model that nothing is published of did.

    Args:
        receipts: as of a build, of the kind that tells the files of the rows.
        results: what dbt says of the model and of each test.
    """

    receipts: Sequence[Mapping[str, Any]]
    results: Sequence[Any]
    failures: Sequence[str]


@contextmanager
def glance(
    context: dg.AssetExecutionContext, parsed: Path, model: str, asked: Asked, variables: Mapping[str, Any]
) -> Iterator[Glance]:
    """`dbt build` of one model and its tests for the partitions of a run. Its rows are there until this ends.

    Args:
        variables: of the project, in place of what it says itself.
    """
    with _folder(parsed) as scratch:
        receipt = scratch / RECEIPT
        look = {"folder": str(scratch / "rows"), "keep": asked.keep}
        told = {LOOK: json.dumps(look), INSTEAD: json.dumps(asked.instead)}
        said = ["--vars", json.dumps(variables)] if variables else []
        with as_if_in(_of_run(context, receipt) | _ALWAYS | told):
            result = _invoke(["--no-write-json", "build", "--select", f"fqn:{model}", *said], scratch, lambda _: None)
        receipts = json.loads(receipt.read_text()) if receipt.is_file() else []
        failures = [] if result.success else _sentences(result) or [_told(str(result.exception))]
        yield Glance(receipts, list(getattr(result.result, "results", ())), failures)


@cache
def load_dbt() -> None:
    """Lets this process have loaded what an invocation needs, for itself and for those that it forks.

    Most of it dbt only loads, or works out, when it parses a project. What is wrong with one is told by who asks next.
    """
    for name in ("platform_core.dbt.plugin", "platform_core.dbt.trying", "dbt.task.build"):
        import_module(name)
    with _folder(nearest_parse()) as scratch, as_if_in(_ALWAYS):
        _invoke(["--no-write-json", "parse"], scratch, lambda _: None)


def results_of_tests(parsed: Path, select: str, partition: str, instead: Mapping[str, Sequence[str]]) -> list[Any]:
    """What `dbt test` says of each test of what is selected, with versions read in place of what is shown.

    Args:
        instead: by asset the ids of versions.

    Raises:
        CheckError: dbt could not ask.
    """
    variables = {INSTEAD: json.dumps(instead), "HEADRACE_DBT_PARTITIONS": json.dumps([partition] if partition else [])}
    with _folder(parsed) as scratch, as_if_in(variables | _ALWAYS):
        result = _invoke(["test", "--select", select], scratch, lambda _: None)
    if result.exception is not None:
        raise CheckError(f"dbt cannot test {listed(instead)}: {_told(str(result.exception))}.")
    return list(result.result.results)


def test_result(item: Any, key: dg.AssetKey) -> dg.AssetCheckResult:
    """What dbt says of a test of an asset, as Dagster says it."""
    is_warning = str(item.node.config.severity).lower() == "warn" or item.status == "warn"
    return dg.AssetCheckResult(
        passed=item.status == "pass",
        check_name=item.node.name,
        asset_key=key,
        severity=dg.AssetCheckSeverity.WARN if is_warning else dg.AssetCheckSeverity.ERROR,
        description=None if item.status == "pass" else str(item.message),
    )


def results_of_freshness(parsed: Path, select: str) -> list[Any]:
    """What `dbt source freshness` says of each source that is selected.

    Raises:
        CheckError: dbt could not ask.
    """
    with _folder(parsed) as scratch, as_if_in(_ALWAYS):
        result = _invoke(["source", "freshness", "--select", *select.split()], scratch, lambda _: None)
    if result.exception is not None:
        raise CheckError(f"dbt cannot tell the freshness of {select}: {_told(str(result.exception))}.")
    return [item for item in result.result.results if item.node.resource_type == "source"]  # hooks are told as well


@contextmanager
def _folder(parsed: Path) -> Iterator[Path]:
    """Where one invocation writes, with what dbt knows of the project already."""
    with tempfile.TemporaryDirectory(dir=scratch_folder()) as scratch:
        shutil.copy(parsed / PARTIAL_PARSE, scratch)
        yield Path(scratch)


def _invoke(arguments: Sequence[str], target: Path, take: Callable[[Any], None]) -> Any:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    try:
        return dbtRunner(callbacks=[take]).invoke([*_QUIETLY, *arguments, *_places(target)])
    finally:
        # After a failure dbt-duckdb keeps its database, and with it the tables and the plugin of this run.
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


def _places(target: Path) -> list[str]:
    project = str(project_folder())
    return [f"--project-dir={project}", f"--profiles-dir={project}", f"--target-path={target}", f"--log-path={target}"]


def _as_message(event: Any) -> DbtCoreCliEventMessage:
    from dbt_common.events.functions import msg_to_dict

    return DbtCoreCliEventMessage(raw_event=msg_to_dict(event), event_history_metadata={})


def _sentences(result: Any) -> list[str]:
    """What dbt says of each node that failed, with the file it is in."""
    failed = [item for item in getattr(result.result, "results", ()) if item.status in FAILED]
    return [_sentence(item.node, str(item.message)) for item in failed]


def _sentence(node: Any, message: str) -> str:
    return of_node(node.name, node.original_file_path, getattr(node, "raw_code", ""), message)


def _told(message: str) -> str:
    """The reason in one line, without dbt's heading that names the node again."""
    heading, _, reason = message.strip().partition("\n")
    return " ".join((reason or heading).split()).rstrip(".")


def _of_run(context: dg.AssetExecutionContext, receipt: Path) -> dict[str, str]:
    """What the plugin has to know of the run. Variables, because dbt makes the plugin, and on the command line too."""
    partitioned = context.has_partition_key or context.has_partition_key_range
    return {
        "HEADRACE_DBT_PARTITIONS": json.dumps(list(context.partition_keys) if partitioned else []),
        INPUTS: json.dumps(_of_inputs(context) if partitioned else {}),
        "HEADRACE_DBT_RECEIPT": str(receipt),
        "HEADRACE_DBT_RUN": json.dumps([context.run.run_id, context.op_execution_context.op_handle.name]),
    }


def _of_inputs(context: dg.AssetExecutionContext) -> dict[str, list[str]]:
    """By asset the partitions that the step reads of it, as their mapping says."""
    layer, inputs = context.job_def.asset_layer, context.assets_def.keys_by_input_name
    known = {name: key for name, key in inputs.items() if layer.has(key) and layer.get(key).partitions_def}
    return {key.to_user_string(): list(context.asset_partition_keys_for_input(name)) for name, key in known.items()}
