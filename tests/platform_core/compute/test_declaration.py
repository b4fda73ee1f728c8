"""A Compute on an asset becomes what Dagster carries to wherever the step runs."""

import dagster as dg
import pytest

from platform_core import Compute, fact
from platform_core.compute.declaration import op_arguments, retry_policy
from platform_core.compute.spec import compute_of
from platform_core.errors import DefinitionError
from tests.platform_core.runs import run


def test_an_asset_carries_its_compute_on_its_op() -> None:
    compute = Compute(cpu=8, memory="32GiB", gpu=1, retries=2)

    @fact(key_prefix="t", compute=compute, op_tags={"theirs": "kept"})
    def trained() -> None: ...

    assert compute_of(trained.op.tags) == compute
    assert trained.op.tags["theirs"] == "kept"
    assert trained.op.retry_policy == retry_policy(compute)


def test_an_asset_without_a_compute_keeps_what_it_was_given() -> None:
    assert op_arguments(None, {"op_tags": {"a": "b"}}, "x") == {}


def test_retries_wait_twice_as_long_each_time() -> None:
    policy = retry_policy(Compute(retries=3, retry_delay="10s"))
    pauses = [policy.calculate_delay(attempt) for attempt in (1, 2, 3)]
    for pause, nominal in zip(pauses, (10, 30, 70), strict=True):
        assert 0 <= pause <= 2 * nominal
    assert policy.max_retries == 3


def test_retries_that_are_said_twice_are_refused() -> None:
    with pytest.raises(DefinitionError, match="both Compute"):

        @fact(key_prefix="t", compute=Compute(retries=1), retry_policy=dg.RetryPolicy())
        def twice() -> None: ...


def test_what_may_fail_says_when_it_did_not() -> None:
    @fact(key_prefix="t", compute=Compute(on_failure="skip"))
    def optional() -> int:
        return 3

    result = run(optional)
    (evaluation,) = result.get_asset_check_evaluations()
    assert evaluation.passed
    assert evaluation.check_name == "computed"


def test_what_may_fail_must_be_a_plain_function() -> None:
    with pytest.raises(DefinitionError, match="write it as a plain function"):

        @fact(key_prefix="t", compute=Compute(on_failure="skip"))
        async def awaited() -> int:
            return 3
