"""A run prints what the team's code says, in one line each, and nothing of Dagster's own."""

import logging
from typing import Any

import dagster as dg
import pytest

from platform_core import fact
from platform_core.console_log import console_log


@fact(key_prefix="t")
def talks(context: dg.AssetExecutionContext) -> None:
    context.log.info("%s rows are odd", 3)
    context.log.debug("a detail")
    context.log.warning("look out")


def test_only_what_the_code_says_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    job = dg.Definitions(assets=[talks], loggers={"console": console_log}).resolve_implicit_global_asset_job_def()
    assert job.execute_in_process(run_config={"loggers": {"console": {}}}).success
    assert capsys.readouterr().err.splitlines() == ["t/talks info: 3 rows are odd", "t/talks warning: look out"]


@fact(key_prefix="t")
def fails() -> None:
    raise RuntimeError("told elsewhere")


def test_a_failure_is_not_printed_a_second_time(capsys: pytest.CaptureFixture[str]) -> None:
    job = dg.Definitions(assets=[fails], loggers={"console": console_log}).resolve_implicit_global_asset_job_def()
    assert not job.execute_in_process(run_config={"loggers": {"console": {}}}, raise_on_error=False).success
    assert capsys.readouterr().err == ""


def test_a_message_from_outside_of_any_step_is_printed_too(capsys: pytest.CaptureFixture[str]) -> None:
    logger: Any = console_log.logger_fn(dg.build_init_logger_context())
    logger.handle(logging.LogRecord("x", logging.ERROR, "", 1, "%s broke", ("it",), None))
    assert capsys.readouterr().err == " error: it broke\n"
