"""What a trace is made of, sent or not."""

from typing import Protocol

ADDRESS = "HEADRACE_TRACES"
PARENT = "TRACEPARENT"  # in the words of the W3C: what a process was started for
Attributes = str | int | float


class Spanned(Protocol):
    """Something that goes on and is traced."""

    def set_attribute(self, key: str, value: Attributes) -> None: ...

    def fail(self, kind: str) -> None:
        """Says that it failed, and with what kind of error: its words may hold what no trace should."""


class _Untraced:
    def set_attribute(self, key: str, value: Attributes) -> None: ...

    def fail(self, kind: str) -> None: ...


UNTRACED = _Untraced()


class Run:
    """The root of a trace, until it is ended."""

    def __init__(self, span: Spanned) -> None:
        self._span = span

    def fail(self, kind: str) -> None:
        self._span.fail(kind)

    def end(self) -> None: ...
