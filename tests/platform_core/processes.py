"""Other processes that use the platform at the same time, or die while they do."""

from collections.abc import Callable, Sequence
from multiprocessing import get_context
from typing import Any

# Forked from a server that has imported everything once, and that no thread of the tests runs in.
_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["pytest", "platform_core.catalog.catalog", "platform_core.store.values"])


def run_together(target: Callable[..., None], arguments: Sequence[tuple[Any, ...]]) -> list[int | None]:
    """Runs a function of a module in as many processes as there are arguments. Returns the exit codes."""
    processes = [_CONTEXT.Process(target=target, args=given) for given in arguments]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    return [process.exitcode for process in processes]
