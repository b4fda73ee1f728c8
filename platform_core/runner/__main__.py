"""`python -m platform_core.runner REQUEST`: loads one location, does what is asked, writes messages to a pipe."""

import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from platform_core.errors import HeadraceError
from platform_core.instance import prepare_dagster_home
from platform_core.logs import configure
from platform_core.namespaces import Namespace
from platform_core.settings import current_settings

if TYPE_CHECKING:
    from platform_core.runner.loading import LoadedLocation


class Messages:
    """Writes messages, one JSON object a line, where the command line reads them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def send(self, kind: str, **content: Any) -> None:
        self._stream.write(json.dumps({"kind": kind, **content}) + "\n")
        self._stream.flush()


def main(request: dict[str, Any], loaded: "LoadedLocation | None" = None) -> int:
    """Does what is asked, with a location that is loaded already, or after it is."""
    messages = Messages(os.fdopen(request["descriptor"], "w"))
    try:
        configure()
        prepare_dagster_home(current_settings())
        return _answer(request, messages) if loaded is None else _look(loaded, request, messages)
    except HeadraceError as error:
        messages.send("refused", sentence=str(error))
    except Exception as error:  # a team's own code may raise anything while it is imported
        messages.send("refused", sentence=_where(error), traceback=traceback.format_exc())
    return 1


def _answer(request: dict[str, Any], messages: Messages) -> int:
    if request["verb"] in ("candidates", "promote", "verdicts"):
        return _about_promotion(request, messages)
    from platform_core.runner.loading import load_location

    started = time.perf_counter()
    location = load_location(request["location"], request["module"])
    messages.send("loaded", seconds=time.perf_counter() - started)
    if request["verb"] in ("describe", "fingerprint", "notebook"):
        return _tell(location, request, messages)
    if request["verb"] == "validate":
        from platform_core.runner.validate import validate

        return validate(location, request["versions"], messages)
    from platform_core.orchestrator.spared import spare_imports

    spare_imports()
    if request["verb"] in ("try", "watch", "sweep"):
        return _look(location, request, messages)
    from platform_core.runner.execute import run

    asked = {"alone": request.get("alone", True), "wanted": request.get("wanted")}
    return run(location, request["selection"], request["partition"], messages, **asked)


def _tell(location: "LoadedLocation", request: dict[str, Any], messages: Messages) -> int:
    """What is known of the code, without computing anything."""
    if request["verb"] == "notebook":
        from platform_core.runner.notebook import notebook_of

        messages.send("notebook", **notebook_of(location, request["asset"], request["partition"]))
        return 0
    from platform_core.runner.describe import describe, fingerprint

    if request["verb"] == "describe":
        messages.send("described", **describe(location))
    else:
        messages.send("fingerprinted", assets=fingerprint(location))
    return 0


def _look(location: "LoadedLocation", request: dict[str, Any], messages: Messages) -> int:
    from platform_core.runner.trying import Wish, try_asset

    if request["verb"] == "sweep":
        from platform_core.runner.sweeping import Wanted, sweep

        return sweep(location, Wanted(**request["wanted"]), messages)
    wish = Wish(**request["wish"])
    if request["verb"] == "watch":
        from platform_core.runner.watching import watch

        return watch(location, wish, messages)
    started = time.perf_counter()
    content = try_asset(location, wish)
    messages.send("tried", **content, seconds=time.perf_counter() - started)
    return 1 if content["sentence"] or content["rejected"] else 0


def _about_promotion(request: dict[str, Any], messages: Messages) -> int:
    """What needs Dagster's instances, and no location."""
    from platform_core.runner.promotion import look_at, promote_branch, verdicts

    branch = Namespace.parse(request["branch"])
    if request["verb"] == "verdicts":
        messages.send("judged", verdicts=[[*key, passed] for key, passed in verdicts(branch).items()])
        return 0
    merged = json.loads(Path(request["merged"]).read_text())
    rebuild = bool(request.get("rebuild"))
    if request["verb"] == "promote":
        done, behind = promote_branch(branch, merged, request["token"], rebuild=rebuild)
        told = {"versions": [v.label for v in done], "transaction": done[0].transaction if done else 0}
        messages.send("promoted", **told, behind=[[v.asset, v.partition] for v in behind])
        return 0
    whole, _ = look_at(branch, merged)
    found = whole.without_outdated() if rebuild else whole
    versions = [version.label for version in found.versions]
    left = [[v.asset, v.partition] for v in whole.outdated]
    messages.send("ready", versions=versions, digest=found.digest, reasons=found.reasons, behind=left)
    return 0


def _where(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({frame.filename}:{frame.lineno})"


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
