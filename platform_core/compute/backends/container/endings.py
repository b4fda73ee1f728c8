"""How a container's end is told: from what the engine knows of it to a sentence."""

from dataclasses import dataclass

from platform_core.compute.attempts import Ending
from platform_core.compute.processes import ending_of
from platform_core.compute.quantities import duration_text, size_text
from platform_core.compute.spec import Compute
from platform_core.compute.worker import EXIT_CANCELLED, EXIT_FINISHED, EXIT_TIMEOUT

EXIT_KILLED = 137
EXIT_UNKNOWN = 255  # what engines say of a container that they found dead when they were started
_SIGNALS = 128

CANCELLED = Ending("cancelled", "It was cancelled.")
REMOVED = Ending("vanished", "Its container was removed from outside while it ran.")


@dataclass(frozen=True)
class Past:
    """What is known of a container that ended.

    Args:
        exit_code: of its first process, which is the worker.
        lacked_memory: whether the kernel killed a process in it at the memory limit; the worker survives that, when
            it was the step's own process, and tells of it by exit code 137.
        signals: that somebody sent it through the engine, by number.
        unwatched: whether a part of its life went by without the engine or without this process.
    """

    exit_code: int
    lacked_memory: bool = False
    signals: tuple[str, ...] = ()
    unwatched: bool = False

    @property
    def needs_explanation(self) -> bool:
        """Whether the exit code alone does not tell why it ended."""
        return self.exit_code in (EXIT_KILLED, EXIT_CANCELLED, EXIT_UNKNOWN) and not self.lacked_memory


def ending(past: Past, compute: Compute, asked: bool) -> Ending:
    """How an attempt ended whose container has such a past. `asked`: whether this backend was asked to end it."""
    if past.exit_code == EXIT_FINISHED:
        return Ending("finished")
    if asked:
        return CANCELLED
    if past.exit_code == EXIT_TIMEOUT and compute.timeout_seconds:
        return Ending("timeout", _out_of_time(compute.timeout_seconds))
    if past.exit_code == EXIT_KILLED and past.lacked_memory:
        return Ending("memory", out_of_memory(compute))
    if past.needs_explanation and (reason := _interference(past, compute)):
        return Ending("vanished", reason)
    return Ending("failed", _crash(past, compute))


def abandoned(seconds: float, reason: str) -> Ending:
    """For a container of which nobody knows any more, because its engine has been away for too long."""
    return Ending("vanished", f"Its container is given up after {duration_text(round(seconds))}. {reason}")


def lacks_memory(compute: Compute) -> str:
    """For a step that runs on although a process that it started was killed."""
    return f"A process of the step was killed for memory at {_most(compute)}; the step itself goes on."


def out_of_memory(compute: Compute) -> str:
    # The kernel kills at the limit and not before, so that what was held is what was allowed.
    return f"It was killed for memory at {_most(compute)}: ask for more with Compute(memory=...)."


def _most(compute: Compute) -> str:
    limit = compute.memory_bytes
    return "all that its machine has" if limit is None else f"{size_text(limit)} of {size_text(limit)}"


def _out_of_time(timeout: float) -> str:
    return f"It ran longer than {duration_text(timeout)}: give it more with Compute(timeout=...), or do less."


def _interference(past: Past, compute: Compute) -> str:
    if past.signals:
        return f"Its container was ended from outside, by signal {past.signals[0]} through the engine."
    if past.unwatched:
        return f"Its container ended with exit code {past.exit_code} while the engine was restarted or nobody watched."
    if past.exit_code == EXIT_CANCELLED:
        return "Its process was asked to end from outside, by whoever stops processes on the engine's machine."
    if past.exit_code == EXIT_KILLED:
        return f"Its process was killed from outside: by hand, or by a system that had no memory left{_limit(compute)}."
    return ""


def _limit(compute: Compute) -> str:
    limit = compute.memory_bytes
    return "" if limit is None else f" (the engine saw no lack of memory within its own {size_text(limit)})"


def _crash(past: Past, compute: Compute) -> str:
    code = past.exit_code
    how = ending_of(code - _SIGNALS) if code > _SIGNALS and code != EXIT_UNKNOWN else f"exit code {code}"
    memory = f" after a process of it was killed for memory at {_most(compute)}" if past.lacked_memory else ""
    return f"Its process ended with {how}{memory}, before the step had a result."
