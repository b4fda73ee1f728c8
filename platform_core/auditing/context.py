"""The step that runs at present."""

import dagster as dg


def current_context() -> dg.AssetExecutionContext | None:
    """None where a function is called by hand."""
    try:
        return dg.AssetExecutionContext.get()
    except dg.DagsterInvariantViolationError:
        return None
