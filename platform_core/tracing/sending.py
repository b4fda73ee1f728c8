"""Spans by OpenTelemetry's own library, sent by OTLP over HTTP when what a process does has ended.

Nothing is sent beside the work: a thread would keep the run worker from being forked, and a step has few spans.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from platform_core.settings import current_settings
from platform_core.tracing.trace import ADDRESS, PARENT, Attributes, Run

TIMEOUT = 5  # seconds that a collector may take, tries again included
NANO = 10**9

log = logging.getLogger("headrace.tracing")


class _Ids(RandomIdGenerator):
    """Random, but for what is given for the next span."""

    given: tuple[int, int] | None = None

    def generate_trace_id(self) -> int:
        return self.given[0] if self.given else super().generate_trace_id()

    def generate_span_id(self) -> int:
        return self.given[1] if self.given else super().generate_span_id()


class _Kept(SpanProcessor):
    """Keeps what ended until it is sent."""

    def __init__(self) -> None:
        self.ended: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.ended.append(span)


class Sender:
    """The spans of one process."""

    def __init__(self) -> None:
        self.ids, self._kept = _Ids(), _Kept()
        about = {"service.name": "headrace", "headrace.namespace": current_settings().namespace}
        self.provider = TracerProvider(id_generator=self.ids, resource=Resource.create(about))
        self.provider.add_span_processor(self._kept)
        self.tracer = self.provider.get_tracer("headrace")

    def send(self) -> None:
        """A collector that does not answer is told of in the log, and fails nothing."""
        ended, self._kept.ended = self._kept.ended, []
        address = os.environ[ADDRESS].rstrip("/")
        exporter = OTLPSpanExporter(endpoint=f"{address}/v1/traces", timeout=TIMEOUT)
        if ended and exporter.export(ended) is not SpanExportResult.SUCCESS:
            log.warning("%d spans could not be sent to HEADRACE_TRACES; they are lost.", len(ended))
        exporter.shutdown()  # type: ignore[no-untyped-call]


@lru_cache(maxsize=1)
def _sender(_process: int) -> Sender:
    return Sender()


def sender() -> Sender:
    """Of this process: what a forked one inherits is its parent's to send."""
    return _sender(os.getpid())


class _Span:
    def __init__(self, span: trace.Span) -> None:
        self.span = span

    def set_attribute(self, key: str, value: Attributes) -> None:
        self.span.set_attribute(f"headrace.{key}", value)

    def fail(self, kind: str) -> None:
        self.span.set_status(trace.Status(trace.StatusCode.ERROR, kind))


class _SentRun(Run):
    def __init__(self, span: _Span) -> None:
        super().__init__(span)
        self._started = span.span

    def end(self) -> None:
        self._started.end()
        sender().send()


def run(ids: tuple[int, int], name: str, began: float | None, about: Mapping[str, Attributes]) -> Run:
    here = sender()
    here.ids.given = ids
    try:
        start = None if began is None else int(began * NANO)
        span = here.tracer.start_span(name, Context(), attributes=_named(about), start_time=start)
    finally:
        here.ids.given = None
    return _SentRun(_Span(span))


@contextmanager
def step(name: str, parent: str, about: Mapping[str, Attributes]) -> Iterator[_Span]:
    here, propagator = sender(), TraceContextTextMapPropagator()
    trace.set_tracer_provider(here.provider)  # so that spans of a team's own code belong to it
    context = propagator.extract({"traceparent": parent}, Context())
    try:
        with here.tracer.start_as_current_span(name, context, attributes=_named(about)) as span:
            carrier: dict[str, str] = {}
            propagator.inject(carrier)
            os.environ[PARENT] = carrier["traceparent"]  # for what the step starts itself
            yield _Span(span)
    finally:
        here.send()


@contextmanager
def part(name: str, about: Mapping[str, Attributes]) -> Iterator[_Span]:
    """Without the words of an error, which may hold what no trace should."""
    options: dict[str, Any] = {"record_exception": False, "set_status_on_exception": False}
    with sender().tracer.start_as_current_span(name, attributes=_named(about), **options) as span:
        found = _Span(span)
        try:
            yield found
        except BaseException as error:
            found.fail(type(error).__name__)
            raise


def _named(about: Mapping[str, Attributes]) -> dict[str, Attributes]:
    return {f"headrace.{name}": value for name, value in about.items()}
