"""The trials of a sweep, in the order of the request or with the best first."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from platform_core.catalog.sweep_values import Sweep, Trial
from platform_core.tracking.comparing import shown

MOST = 50  # rows of a table in the UI


def best_first(sweep: Sweep, trials: Sequence[Trial]) -> list[Trial]:
    """Those that have a value and the metric of the sweep."""
    metric = sweep.request["metric"]
    having = [trial for trial in trials if trial.state == "done" and metric in trial.metrics]
    return sorted(having, key=lambda trial: trial.metrics[metric], reverse=sweep.request["maximize"])


def counted(sweep: Sweep, trials: Sequence[Trial]) -> str:
    """`200 trials: 190 done, 8 stopped early, 2 failed`."""
    names = {"done": "done", "stopped": "stopped early", "refused": "refused by checks", "failed": "failed"}
    found = {name: sum(trial.state == state for trial in trials) for state, name in names.items()}
    left = sweep.request["count"] - len(trials)
    told = [f"{number} {name}" for name, number in [*found.items(), ("not tried yet", left)] if number]
    return f"{sweep.request['count']} trials: {', '.join(told)}"


def cells(trial: Trial, parameters: Sequence[str], metric: str) -> list[str]:
    """A trial as a row below what `titles` says; of the version the part by which it can be named."""
    given = [shown(trial.parameters.get(name)) for name in parameters]
    value = [shown(trial.metrics.get(metric))] if metric else []
    version = (trial.version or "").rpartition("-")[2]
    return [str(trial.number), *given, *value, trial.state, f"{trial.seconds:.3g}", version]


def titles(sweep: Sweep) -> list[str]:
    metric = [sweep.request["metric"]] if sweep.request["metric"] else []
    return ["trial", *(axis["name"] for axis in sweep.request["axes"]), *metric, "state", "seconds", "version"]


def swept(trials: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """One row for each trial: `trial`, its parameters as `param.x`, its metrics, `state`, `seconds`, `version`."""
    last = ("state", "seconds", "sentence", "version")
    rows = [
        {"trial": trial["number"]}
        | {f"param.{name}": value for name, value in trial["parameters"].items()}
        | dict(trial["metrics"])
        | {name: trial[name] for name in last}
        for trial in trials
    ]
    names = list(dict.fromkeys(name for row in rows for name in row if name not in last))
    return pl.DataFrame({name: [row.get(name) for row in rows] for name in (*names, *last)}, strict=False)


def table_of(sweep: Sweep, trials: Sequence[Trial]) -> str:
    """Markdown: the best first where trials can be compared, those without a value last."""
    best = best_first(sweep, trials)
    rest = [trial for trial in trials if trial not in best]
    names = [axis["name"] for axis in sweep.request["axes"]]
    rows = [[*cells(trial, names, sweep.request["metric"]), trial.sentence] for trial in [*best, *rest][:MOST]]
    head: list[Any] = [*titles(sweep), ""]
    more = [f"\n… and {len(trials) - MOST} more"] if len(trials) > MOST else []
    return "\n".join([*(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows]), *more])
