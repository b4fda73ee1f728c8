"""The sentence in an error: ours as it is, a team's with the line of the team's code."""

import re
from typing import Any

from platform_core.errors import HeadraceError

_FRAME = re.compile(r'File "(?P<file>[^"]*code_locations/[^"]*)", line (?P<line>\d+)')
_CLASS_OF_OURS = re.compile(rf"^{re.escape(HeadraceError.__module__)}\.\w+: ")
_INSTALLED = "site-packages"
_OURS = {kind.__name__ for kind in HeadraceError.__subclasses__()}


def explain(error: Any, description: str | None) -> str:
    """What a person should read of a serialized Dagster error.

    Args:
        error: with `message`, `cls_name`, `stack` and `cause`, as Dagster keeps it; or None.
        description: what the code that failed on purpose said itself; wins over the rest.
    """
    if description:
        return description
    if error is None:
        return "It failed without saying why; the run's log in the UI has more."
    while error.cause is not None and error.cls_name not in _OURS:
        error = error.cause
    frames = [match for match in map(_FRAME.search, error.stack) if match and _INSTALLED not in match["file"]]
    where = f" ({frames[-1]['file']}:{frames[-1]['line']})" if frames else ""
    # Some libraries append pages of context; the first line is the message.
    return _CLASS_OF_OURS.sub("", str(error.message).strip().splitlines()[0]) + where


def explain_failure(data: Any) -> str:
    """The same of a step that failed.

    Args:
        data: the `step_failure_data` of its event.
    """
    return explain(data.error, data.user_failure_data.description if data.user_failure_data else None)
