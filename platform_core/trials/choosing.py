"""Which parameters a trial gets, and whether it is worth going on with: from what the catalog knows, in any process."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from platform_core.catalog.sweep_values import Trial
from platform_core.errors import NotFoundError
from platform_core.trials.request import Axis, Request

STRIDE = 1_000_003  # so that neighbouring seeds share no trials
Listener = Callable[[str, float, int], None]


class Stopped(BaseException):
    """Ends a trial that others did better than; no error of its own, so that nobody's `except` takes it for one."""


def parameters_of(request: Request, number: int, ended: Sequence[Trial] = ()) -> dict[str, Any]:
    """What trial `number` differs in. Of a grid and of random ones, always the same.

    Args:
        ended: the trials from which a search learns.
    """
    return _of_grid(request, number) if request.sampler == "grid" else _asked(request, number, ended)


def _of_grid(request: Request, number: int) -> dict[str, Any]:
    """The last axis goes round first."""
    rest, found = number - 1, {}
    for axis in reversed(request.axes):
        rest, place = divmod(rest, len(axis.values))
        found[axis.name] = axis.values[place]
    return {axis.name: found[axis.name] for axis in request.axes}


def _asked(request: Request, number: int, ended: Sequence[Trial]) -> dict[str, Any]:
    optuna = require_optuna()
    seed = (request.seed * STRIDE + number) % 2**32
    samplers = optuna.samplers
    sampler = samplers.TPESampler(seed=seed) if request.sampler == "tpe" else samplers.RandomSampler(seed=seed)
    study = optuna.create_study(sampler=sampler, direction=_direction(request))
    if request.sampler == "tpe":
        study.add_trials([_told(request, trial) for trial in ended if request.metric in trial.metrics])
    asked = study.ask({axis.name: _distribution(axis) for axis in request.axes}).params
    return {
        axis.name: axis.values[asked[axis.name]] if axis.kind == "choice" else asked[axis.name] for axis in request.axes
    }


def _told(request: Request, trial: Trial) -> Any:
    optuna = require_optuna()
    given = {axis.name: _place(axis, trial.parameters[axis.name]) for axis in request.axes}
    distributions = {axis.name: _distribution(axis) for axis in request.axes}
    return optuna.trial.create_trial(params=given, distributions=distributions, value=trial.metrics[request.metric])


def _place(axis: Axis, value: Any) -> Any:
    return axis.values.index(value) if axis.kind == "choice" else value


def _distribution(axis: Axis) -> Any:
    distributions = require_optuna().distributions
    if axis.kind == "choice":  # of places, as a value may be a list
        return distributions.CategoricalDistribution(tuple(range(len(axis.values))))
    if axis.kind == "int":
        return distributions.IntDistribution(int(axis.low), int(axis.high), log=axis.log)
    return distributions.FloatDistribution(axis.low, axis.high, log=axis.log)


def stopping(request: Request, ended: Sequence[Trial], reports: list[tuple[int, float]]) -> Listener:
    """What is told each step of a metric: notes those of the sweep's own, and ends a trial that falls behind.

    Raises, when it is called:
        Stopped: others had done better at this step.
    """
    trial = _running(request, ended) if request.stop else None

    def listen(metric: str, value: float, step: int) -> None:
        if metric != request.metric:
            return
        reports.append((step, value))
        if trial is not None:
            trial.report(value, step)
            if trial.should_prune():
                raise Stopped(f"others had a better {metric} at step {step} than {value:.6g}")

    return listen


def _running(request: Request, ended: Sequence[Trial]) -> Any:
    """A trial beside those that ended, which tell what they told again: some rules keep notes of their own."""
    optuna = require_optuna()
    pruners = {
        "median": optuna.pruners.MedianPruner,
        "halving": optuna.pruners.SuccessiveHalvingPruner,
        "hyperband": optuna.pruners.HyperbandPruner,
    }
    study = optuna.create_study(pruner=pruners[request.stop](), direction=_direction(request))
    states = optuna.trial.TrialState
    for trial in ended:
        if trial.state == "failed":
            continue
        again = study.ask()
        for step, value in trial.reports:
            again.report(value, step)
            again.should_prune()
        last = trial.metrics.get(request.metric) if trial.state == "done" else None
        study.tell(again, last, state=states.PRUNED if last is None else states.COMPLETE)
    return study.ask()


def _direction(request: Request) -> str:
    return "maximize" if request.maximize else "minimize"


def require_optuna() -> Any:
    """Optuna, quiet.

    Raises:
        NotFoundError: the location does not have it.
    """
    try:
        import optuna
    except ImportError as error:
        raise NotFoundError(
            "Random and Bayesian search and early stops need Optuna, which this location does not have: add the extra"
            ' "sweeps" to "headrace[...]" in its pyproject.toml, then uv lock and uv sync.'
        ) from error
    optuna.logging.set_verbosity(logging.WARNING)
    return optuna
