"""Which models of an invocation of dbt may be published, by how they and their tests ended."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

FAILED = frozenset({"error", "fail", "runtime error"})
PASSED = frozenset({"pass", "warn"})


@dataclass(frozen=True, slots=True)
class Ended:
    """How a node ended, and what dbt says of it."""

    status: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class DbtTest:
    """A test, the unique ids of what it reads, and whether they are held back until it passed."""

    name: str
    reads: tuple[str, ...]
    blocking: bool
    ended: Ended | None = None

    @property
    def refusal(self) -> str | None:
        if self.ended and self.ended.status in FAILED:
            return f"its test {self.name} failed: {' '.join(self.ended.message.split())}"
        if self.blocking and (self.ended is None or self.ended.status not in PASSED):
            return f"its test {self.name} was not run; `dbt build` runs it"
        return None


def refusals(ended: Mapping[str, Ended], tests: Iterable[DbtTest]) -> dict[str, str]:
    """By unique id of a model why it may not be published. A test of several models holds all of them back."""
    found = {name: item.message for name, item in ended.items() if item.status in FAILED}
    for test in tests:
        if reason := test.refusal:
            found = dict.fromkeys(test.reads, reason) | found
    return found
