"""`python -m platform_core.runner REQUEST`: loads one location, does what is asked, writes messages to a pipe."""

import json
import os
import sys
import time
import traceback
from typing import Any, TextIO

from platform_core.errors import HeadraceError
from platform_core.instance import prepare_dagster_home
from platform_core.settings import current_settings


class Messages:
    """Writes messages, one JSON object a line, where the command line reads them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def send(self, kind: str, **content: Any) -> None:
        self._stream.write(json.dumps({"kind": kind, **content}) + "\n")
        self._stream.flush()


def main(request: dict[str, Any]) -> int:
    messages = Messages(os.fdopen(request["descriptor"], "w"))
    try:
        prepare_dagster_home(current_settings())
        return _answer(request, messages)
    except HeadraceError as error:
        messages.send("refused", sentence=str(error))
    except Exception as error:  # a team's own code may raise anything while it is imported
        messages.send("refused", sentence=_where(error), traceback=traceback.format_exc())
    return 1


def _answer(request: dict[str, Any], messages: Messages) -> int:
    from platform_core.runner.loading import load_location

    started = time.perf_counter()
    location = load_location(request["location"], request["module"])
    messages.send("loaded", seconds=time.perf_counter() - started)
    if request["verb"] == "describe":
        from platform_core.runner.describe import describe

        messages.send("described", **describe(location))
        return 0
    from platform_core.runner.execute import run

    return run(location, request["selection"], request["partition"], messages)


def _where(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({frame.filename}:{frame.lineno})"


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
