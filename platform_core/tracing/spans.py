"""What is traced: a run, its steps, and what they read and write. Where HEADRACE_TRACES is empty, nothing is imported.

The trace of a run has the run's own id, and its root follows from that too: so whoever takes charge of a run after
another goes on with its trace, and a step anywhere needs one variable to be part of it.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from hashlib import sha256
from typing import Any
from uuid import UUID

from platform_core.errors import SettingsError
from platform_core.tracing.trace import ADDRESS, PARENT, UNTRACED, Attributes, Run, Spanned


def is_traced() -> bool:
    return bool(os.environ.get(ADDRESS))


def ids_of_run(run_id: str) -> tuple[int, int]:
    """The trace of a run and the root of it."""
    digest = sha256(run_id.encode()).hexdigest()
    try:
        return UUID(run_id).int, int(digest[:16], 16)
    except ValueError:  # an id that somebody chose
        return int(digest[16:48], 16), int(digest[:16], 16)


def variables_of(run_id: str) -> dict[str, str]:
    """What tells a step that it is part of the trace of its run; nothing where nothing is traced."""
    if not is_traced():
        return {}
    trace, root = ids_of_run(run_id)
    return {PARENT: f"00-{trace:032x}-{root:016x}-01"}


def variables_elsewhere() -> dict[str, str]:
    """What a process on another machine needs to send its part; a header may be a password, and is none of them."""
    if not is_traced():
        return {}
    told = {name: value for name, value in os.environ.items() if name.startswith("OTEL_") and name not in HEADERS}
    return {ADDRESS: os.environ[ADDRESS], **told}


HEADERS = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS")


def secrets_elsewhere() -> list[str]:
    """The variables with headers for the collector, of those that there are."""
    return [name for name in HEADERS if is_traced() and os.environ.get(name)]


def traced_run(run_id: str, name: str, began: float | None, about: Mapping[str, Attributes]) -> "Run":
    """Begins the root of a run's trace, which is sent when it ends.

    Args:
        began: in seconds since 1970, where it is not now.
    """
    if not is_traced():
        return Run(UNTRACED)
    return _sending().run(ids_of_run(run_id), name, began, about)  # type: ignore[no-any-return]


@contextmanager
def traced_step(name: str, about: Mapping[str, Attributes]) -> Iterator[Spanned]:
    """What this process does of a run. What was traced is sent at the end, whatever the end is."""
    if not is_traced():
        yield UNTRACED
        return
    with _sending().step(name, os.environ.get(PARENT, ""), about) as span:
        yield span


def span(name: str, **about: Attributes) -> AbstractContextManager[Spanned]:
    """A part of what is going on; `asset="a"` becomes the attribute `headrace.asset`."""
    return nullcontext(UNTRACED) if not is_traced() else _sending().part(name, about)


def _sending() -> Any:
    try:
        from platform_core.tracing import sending
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"HEADRACE_TRACES needs the extra traces in this environment: {error.name} is missing."
            " Add headrace[traces] to its dependencies, or unset the variable."
        ) from error
    return sending
