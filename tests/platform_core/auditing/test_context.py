"""The step that runs at present, and none by hand."""

import dagster as dg

from platform_core.auditing.context import current_context


def test_the_context_is_that_of_the_step() -> None:
    seen: list[bool] = []

    @dg.asset
    def some() -> None:
        seen.append(current_context() is not None)

    assert current_context() is None
    dg.materialize([some])
    assert seen == [True]
