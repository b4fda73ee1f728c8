"""From a container that may have ended to how its attempt ended."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from platform_core.compute.attempts import Ending
from platform_core.compute.backends.container.endings import CANCELLED, REMOVED, Past, ending
from platform_core.compute.backends.container.lives import Life
from platform_core.compute.backends.container.logs import tail
from platform_core.compute.backends.container.refusals import EngineRefusal

if TYPE_CHECKING:
    from platform_core.compute.backends.container.engine import Engine

_ENDED = ("exited", "dead", "stopped")


def settled(engine: "Engine", life: Life) -> Ending | None:
    """How an attempt ended, with the end of what it printed; None while its container runs.

    Raises:
        EngineAway: the engine does not answer.
    """
    found = engine.inspect(life.name)
    if found is None:
        return CANCELLED if life.asked else REMOVED
    if found["State"]["Status"] not in _ENDED:
        return None
    known = _past(engine, life, found["State"])
    life.lacked_memory = known.lacked_memory
    told = ending(known, life.order.compute, life.asked)
    return told if told.kind == "finished" else replace(told, log=_log(engine, life, found["Config"]))


def _past(engine: "Engine", life: Life, state: Mapping[str, Any]) -> Past:
    lacked_memory = bool(state.get("OOMKilled")) or life.lacked_memory
    known = Past(int(state["ExitCode"]), lacked_memory, life.signals, life.unwatched)
    if not known.needs_explanation or known.signals or life.asked:
        return known
    return _with_memory_of_engine(engine, life.name, state, known)


def _with_memory_of_engine(engine: "Engine", name: str, state: Mapping[str, Any], known: Past) -> Past:
    """Asks the engine for what happened while nobody here listened; it remembers the last few hundred events."""
    try:
        events = engine.signals_and_lacks(name, state)
    except EngineRefusal:  # an engine without such a memory leaves the exit code to speak
        return known
    signals = tuple(signal for what, signal in events if what == "kill")
    return replace(known, lacked_memory=any(what == "oom" for what, _ in events), signals=signals)


def _log(engine: "Engine", life: Life, config: Mapping[str, Any]) -> str:
    """The end of the log, without the values of the secrets that the container was given."""
    variables = dict(text.partition("=")[::2] for text in config.get("Env") or ())
    try:
        return tail(engine.log(life.name), [variables.get(name, "") for name in life.order.secrets])
    except EngineRefusal as error:
        return f"(What it printed cannot be read here: {error.words})"
