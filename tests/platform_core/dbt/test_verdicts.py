"""A model is published when all its tests of severity error passed, and not because nobody asked them."""

import pytest

from platform_core.dbt.verdicts import DbtTest, Ended, refusals

ORDERS, DAYS = "model.headrace.orders", "model.headrace.days"


def of(status: str | None, *reads: str, blocking: bool = True) -> DbtTest:
    return DbtTest(
        "not_null", reads or (ORDERS,), blocking, None if status is None else Ended(status, "Got 3\n results")
    )


@pytest.mark.parametrize("status", ["pass", "warn"])
def test_a_test_that_passed_or_warns_refuses_nothing(status: str) -> None:
    assert refusals({ORDERS: Ended("success")}, [of(status)]) == {}


@pytest.mark.parametrize("status", ["fail", "error", "runtime error"])
@pytest.mark.parametrize("blocking", [True, False])
def test_a_test_that_failed_refuses_its_model(status: str, blocking: bool) -> None:
    assert refusals({}, [of(status, blocking=blocking)]) == {ORDERS: "its test not_null failed: Got 3 results"}


@pytest.mark.parametrize("status", [None, "skipped"])
def test_a_test_that_was_not_run_refuses_its_model_if_it_is_one_that_blocks(status: str | None) -> None:
    assert refusals({}, [of(status)]) == {ORDERS: "its test not_null was not run; `dbt build` runs it"}
    assert refusals({}, [of(status, blocking=False)]) == {}


def test_a_test_of_two_models_refuses_both() -> None:
    assert refusals({}, [of("fail", ORDERS, DAYS), of("pass")]).keys() == {ORDERS, DAYS}


def test_a_model_that_failed_itself_is_refused_for_what_it_says() -> None:
    assert refusals({ORDERS: Ended("error", "no such column")}, [of("skipped")]) == {ORDERS: "no such column"}
