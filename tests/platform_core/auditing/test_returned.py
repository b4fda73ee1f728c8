"""What a function says besides its value survives a change of the value."""

import dagster as dg

from platform_core.auditing.returned import results_of, value_of, with_value

RESULT = dg.AssetCheckResult(check_name="mine", passed=True)


def test_the_value_is_found_in_whatever_is_returned() -> None:
    assert [value_of(item) for item in (1, dg.Output(1), dg.MaterializeResult(value=1))] == [1, 1, 1]
    assert value_of(dg.MaterializeResult()) is None


def test_another_value_keeps_the_rest() -> None:
    plain, output = with_value(1, 2, {"a": 1}), with_value(dg.Output(1, metadata={"b": 2}), 2, {"a": 1})
    assert isinstance(plain, dg.Output)
    assert isinstance(output, dg.Output)
    assert (plain.value, set(plain.metadata)) == (2, {"a"})
    assert (output.value, set(output.metadata)) == (2, {"a", "b"})


def test_check_results_can_be_taken_out() -> None:
    returned = dg.MaterializeResult(value=1, check_results=[RESULT], tags={"t": "x"})
    assert results_of(returned) == [RESULT]
    assert results_of(1) == []
    kept, bare = with_value(returned, 2, {}), with_value(returned, 2, {}, results=())
    assert isinstance(kept, dg.MaterializeResult)
    assert isinstance(bare, dg.MaterializeResult)
    assert (list(kept.check_results or ()), list(bare.check_results or ())) == ([RESULT], [])
    assert bare.tags == {"t": "x"}
