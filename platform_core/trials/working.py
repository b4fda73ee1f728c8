"""A process that takes one trial of a sweep after the other: it reads the inputs once, and keeps each value."""

import asyncio
import inspect
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Any, cast

import dagster as dg

from platform_core.auditing.context import current_context
from platform_core.auditing.returned import value_of
from platform_core.auditing.specs import read_by
from platform_core.catalog.opening import open_catalog
from platform_core.catalog.sweep_values import State, Sweep, Trial
from platform_core.catalog.values import InputVersion, Provenance, Shown, Version
from platform_core.compute.sweep_fan import NOT_TRIED
from platform_core.environments.frozen import environment_here
from platform_core.errors import NotFoundError
from platform_core.event_metadata import plain_metadata
from platform_core.explanation import explain
from platform_core.io_manager import KEPT, HeadraceIOManager, sentences, without_none
from platform_core.orchestrator.errors import error_info
from platform_core.orchestrator.partitions import partition_tags
from platform_core.orchestrator.steps import replaced_function, take_output_metadata
from platform_core.provenance import author, cost_of, git_commit
from platform_core.settings import Settings, current_settings
from platform_core.store.opening import open_store
from platform_core.store.tables import as_polars, is_table
from platform_core.store.values import Target, read_versions, write_version
from platform_core.tracking.record import flat, listening
from platform_core.tracking_metadata import kept_figures, kept_metadata
from platform_core.trials.choosing import Stopped, parameters_of, stopping
from platform_core.trials.limit import TooLong, at_most
from platform_core.trials.request import Request
from platform_core.trials.subject import (
    QUIET,
    can_be_shared,
    declared,
    failure_of,
    given_versions,
    instance_in_memory,
    require_parameters,
    typed,
)

Say = Callable[[str], None]
Write = Callable[[Any, Mapping[str, Any], float], Version]  # takes a value, what was said of it, and its seconds
ENOUGH = "Every trial was taken."


class Inputs(HeadraceIOManager):
    """Reads for all trials at once, and anew for each what a trial might change in place."""

    def __init__(self, given: Mapping[str, Sequence[Version]]) -> None:
        super().__init__()
        self._given = given
        self.read: dict[str, tuple[list[Shown], Any]] = {}

    def load_input(self, context: dg.InputContext) -> Any:
        with sentences():
            known = self._given.get(context.name)
            shown = self._resolve(context) if known is None else [Shown(item, item.namespace) for item in known]
            kind, _ = without_none(context.dagster_type.typing_type)
            self.read[context.name] = (shown, kind)
            return self._value(context.name)

    def fresh(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs of the next trial."""
        return {name: self._value(name) if name in self.read and not can_be_shared(value) else value
                for name, value in values.items()}  # fmt: skip

    def _value(self, name: str) -> Any:
        shown, kind = self.read[name]
        return read_versions(self._store, [item.version for item in shown], kind) if shown else None

    @property
    def versions(self) -> tuple[InputVersion, ...]:
        return tuple(
            InputVersion(name, item.version.asset, item.version.partition, item.version.id, item.shown_by)
            for name, (shown, _) in self.read.items()
            for item in shown
        )


@dataclass
class Worker:
    """The trials of a sweep in one process.

    Args:
        assets: those of the location, as they were declared.
        numbers: of the trials, in the order in which they are tried; asked for one by one.
        run_id: of the run that the trials belong to.
        say: is told a line for each trial.
    """

    sweep: Sweep
    assets: Iterable[Any]
    resources: Mapping[str, Any]
    numbers: Iterator[int]
    run_id: str
    say: Say
    _settings: Settings = field(default_factory=current_settings)

    def work(self) -> None:
        """Ends when no number is left.

        Raises:
            NotFoundError: what is read is not there, so that no trial could be tried.
        """
        request = Request.from_plain(self.sweep.request)
        key = dg.AssetKey.from_user_string(self.sweep.asset)
        made = declared(self.assets, key)
        kind = require_parameters(made, [*(axis.name for axis in request.axes), *request.fixed])
        self._inputs, self._environment = Inputs(self._versions(made, request)), environment_here(key.path[0])
        first = next(self.numbers, None)
        if first is None:
            return
        self._next: int | None = first
        config = self._config(kind, request, first)[1]
        with replaced_function(made, lambda function: self._looped(function, key, kind, request)):
            result = dg.materialize(
                [made, *read_by(made, self.assets)],
                selection=[key],
                resources={**self.resources, "io_manager": self._inputs},
                instance=instance_in_memory(),
                tags=partition_tags([self.sweep.partition] if self.sweep.partition else []),
                run_config=QUIET | {"ops": {made.op.name: {"config": config}}},
                raise_on_error=False,
            )
        if (sentence := failure_of(result)) != ENOUGH:
            raise NotFoundError(f"{NOT_TRIED}{sentence or 'It could not be started; the log of the run tells more.'}")

    def _versions(self, made: dg.AssetsDefinition, request: Request) -> dict[str, list[Version]]:
        """What is read: what was named, else what the first trial read, so that all trials can be compared."""
        named = {name: [version] for name, version in given_versions(made, request.inputs).items()}
        catalog = open_catalog(self._settings.catalog)
        kept = [trial.version for trial in catalog.trials(self.sweep.id) if trial.version]
        read = catalog.versions(kept[:1])[0].provenance.inputs if kept else ()
        known = {version.id: version for version in catalog.versions([item.version for item in read])}
        for item in read:
            if item.name not in request.inputs and item.version in known:
                named.setdefault(item.name, []).append(known[item.version])
        return named

    def _config(self, kind: type[dg.Config], request: Request, number: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a trial differs in, and all its parameters."""
        learns = request.sampler == "tpe"
        ended = open_catalog(self._settings.catalog).trials(self.sweep.id) if learns else ()
        own = parameters_of(request, number, ended)
        return own, typed(self.sweep.asset, kind, {**request.fixed, **own})

    def _looped(
        self, function: Callable[..., Any], key: dg.AssetKey, kind: type[dg.Config], request: Request
    ) -> Callable[..., Any]:
        """The function of the asset as one that is called for each trial, and has no value of its own."""

        @wraps(function)
        def looped(*args: Any, **values: Any) -> Any:
            node = _context().job_def.asset_layer.get(key)
            first = True
            while self._next is not None:
                number = self._next
                own, config = self._config(kind, request, number)
                given = values if first else self._inputs.fresh(values)
                call = partial(function, *args, **{**given, "config": kind(**config)})
                self._try(number, own, call, partial(self._write, node, config), request)
                first, self._next = False, next(self.numbers, None)
            raise dg.Failure(ENOUGH, allow_retries=False)

        return looped

    def _try(self, number: int, own: dict[str, Any], call: Callable[[], Any], write: Write, request: Request) -> None:
        catalog = open_catalog(self._settings.catalog)
        reports: list[tuple[int, float]] = []
        listener = stopping(request, catalog.trials(self.sweep.id) if request.stop else (), reports)
        started, draft = time.monotonic(), None
        state: State
        try:
            with at_most(request.timeout), listening(listener):
                draft = write(*_consumed(call()), time.monotonic() - started)
            state, sentence, metrics = "refused" if draft.rejected else "done", draft.rejected or "", draft.metrics
        except (Stopped, TooLong, Exception) as error:
            state, sentence = _ended(error, request)
            draft, metrics = None, {request.metric: reports[-1][1]} if reports else {}
        finally:
            take_output_metadata(_context())
        seconds = round(time.monotonic() - started, 4)
        trial = Trial(self.sweep.id, number, state, own, seconds, metrics, tuple(reports), sentence)
        catalog.end_trial(self._settings.writes_to, trial, draft)
        self.say(line_of(trial, request.metric))

    def _write(
        self, node: Any, config: Mapping[str, Any], value: Any, metadata: Mapping[str, Any], seconds: float
    ) -> Version:
        told = plain_metadata(metadata) | {name: node.metadata[name] for name in KEPT if name in node.metadata}
        told |= cost_of(seconds) | kept_metadata(metadata, node)
        logged = getattr(metadata.get("headrace/parameters"), "value", {})
        made = Provenance(
            run_id=self.run_id,
            step=f"sweep {self.sweep.id}",
            author=author(),
            code_version=node.code_version or "",
            git_commit=git_commit(self._settings.repository),
            environment=self._environment,
            inputs=self._inputs.versions,
            parameters=flat(config) | flat(logged),
        )
        target = Target(
            self._settings.writes_to, self.sweep.asset, self.sweep.partition, told, made, kept_figures(metadata)
        )
        return write_version(open_store(self._settings.store), as_polars(value) if is_table(value) else value, target)


def line_of(trial: Trial, metric: str) -> str:
    """A trial in one line of a log."""
    given = ", ".join(f"{name}={value}" for name, value in trial.parameters.items())
    value = trial.metrics.get(metric) if metric else None
    what = f"{metric} {value:.6g}" if value is not None and trial.state == "done" else trial.sentence or trial.state
    return f"Trial {trial.number} ({given}): {what}, {trial.seconds:.3g} s"


def _ended(error: BaseException, request: Request) -> tuple[State, str]:
    """How a trial ended that has no value, and the sentence that says why."""
    if isinstance(error, Stopped):
        return "stopped", f"Stopped early: {error}."
    if isinstance(error, TooLong):
        return "failed", f"It took longer than {request.timeout:g} s."
    return "failed", explain(error_info(cast(Exception, error)), getattr(error, "description", None))


def _consumed(returned: Any) -> tuple[Any, Mapping[str, Any]]:
    """The value of what a function returned, and everything that it said of it."""
    if inspect.iscoroutine(returned):
        returned = asyncio.run(returned)
    items = list(returned) if inspect.isgenerator(returned) else [returned]
    said = [item for item in items if not isinstance(item, dg.AssetCheckResult)]
    item = said[-1] if said else None
    own = item.metadata or {} if isinstance(item, dg.Output | dg.MaterializeResult) else {}
    together = {**take_output_metadata(_context()), **own}
    return value_of(item), dg.Output(None, metadata=together).metadata  # which makes Dagster's own values of them


def _context() -> dg.AssetExecutionContext:
    context = current_context()
    if context is None:
        raise RuntimeError("A trial is computed by a step.")
    return context
