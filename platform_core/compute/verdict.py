"""What follows when an attempt ended without its step having said how it went. Pure decisions."""

from dataclasses import dataclass

from platform_core.compute.attempts import Ending
from platform_core.compute.profiles import Limits
from platform_core.compute.quantities import size_text
from platform_core.compute.spec import Compute

SILENT = "Its process ended without a word of how the step went"


@dataclass(frozen=True)
class Verdict:
    """Start again with `compute` at the cost of an infrastructure retry, or, where that is None, count it as failed.

    `own_fault` says whether a failure may use one of the step's own retries.
    """

    sentence: str
    compute: Compute | None = None
    own_fault: bool = True


def judge(ending: Ending, compute: Compute, lost: int, limits: Limits) -> Verdict:
    """Decides about an attempt.

    Args:
        lost: how many attempts of this step were lost to infrastructure before.
        limits: the most that the step could get.
    """
    match ending.kind:
        case "vanished" | "finished":
            sentence = ending.sentence or f"{SILENT}."
            return _again(sentence, compute, compute, lost)
        case "memory":
            return _again(ending.sentence, compute, compute.with_twice_the_memory(limits.memory_bytes), lost)
        case "refused" | "cancelled":
            return Verdict(ending.sentence, own_fault=False)
        case _:
            return Verdict(ending.sentence or f"{SILENT}.")


def _again(sentence: str, compute: Compute, next_time: Compute | None, lost: int) -> Verdict:
    if next_time is None or lost >= compute.infrastructure_retries:
        often = "once" if lost == 1 else f"{lost} times"
        return Verdict(sentence + (f" It was started again {often}." if lost else ""), own_fault=False)
    more = f" with {size_text(next_time.memory_bytes or 0)}" if next_time.memory != compute.memory else ""
    count = f"{lost + 1} of {compute.infrastructure_retries} times"
    return Verdict(f"{sentence} Starting it again{more} ({count}).", next_time)
