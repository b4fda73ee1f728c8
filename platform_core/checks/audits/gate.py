"""Is a new model at least as good as the one that production has, on the same rows?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import dagster as dg
import polars as pl

from platform_core.catalog.values import Version
from platform_core.checks.audits.audit import Judgement, Subject
from platform_core.checks.bootstrap import Verdict, compare_losses
from platform_core.checks.pictures import two_curves
from platform_core.errors import CheckError, listed
from platform_core.namespaces import PRODUCTION
from platform_core.store.values import read_versions

if TYPE_CHECKING:
    from platform_core.catalog.catalog import Catalog

Loss = Literal["brier", "log_loss", "absolute_error", "squared_error"]
TRUTH, SCORE = "truth", "score"
POINTS = 30
ALMOST = 1e-15

# A model, the rows that its step read, and the partition: one row per held-out row with `truth` and `score`.
Scores = Callable[[Any, pl.DataFrame, str], pl.DataFrame]


@dataclass(frozen=True, slots=True)
class GateAudit:
    """The challenger and production's model on the same held-out rows, by a paired bootstrap."""

    on: str
    scores: Scores = field(repr=False)
    loss: Loss
    segments: tuple[str, ...]
    cluster: str | None
    blocking: bool = True
    name: str = "gate"
    description: str = "Not worse than production's model on the same held-out rows, on the whole and on segments."

    def judge(self, subject: Subject) -> Judgement:
        production = rival(subject.catalog, subject.asset, subject.partitions)
        if production is None:
            return Judgement(True, f"Production has no model {subject.asset} yet to compare with.")
        rows, partition = subject.table(self.on), subject.partitions[0] if subject.partitions else ""
        theirs = self._scores(read_versions(subject.store, [production]), rows, partition, subject.asset)
        ours = self._scores(subject.value, rows, partition, subject.asset)
        if not ours[TRUTH].equals(theirs[TRUTH]):
            raise CheckError(f"scores of {subject.asset} gave other rows for the two models; it must not sample.")
        losses = ours.with_columns(
            challenger=loss_of(self.loss), production=theirs.select(loss_of(self.loss)).to_series()
        )
        verdicts = compare_losses(losses, self.segments, self.cluster)
        return self._judgement(verdicts, production, _pictures(ours, theirs, self.loss))

    def _scores(self, model: Any, rows: pl.DataFrame, partition: str, asset: str) -> pl.DataFrame:
        scored = self.scores(model, rows, partition)
        if missing := [name for name in (TRUTH, SCORE) if name not in scored.columns]:
            raise CheckError(f"scores of {asset} lacks the column {listed(missing)}.")
        return scored.with_columns(pl.col(TRUTH, SCORE).cast(pl.Float64))

    def _judgement(self, verdicts: Sequence[Verdict], production: Version, pictures: str) -> Judgement:
        worse = [item for item in verdicts if item.is_worse]
        told = listed([_told(item, self.loss) for item in worst_first(worse)], most=3)
        metadata = {
            "production": production.label,
            "verdicts": dg.MetadataValue.md(_table(verdicts)),
            "curves": dg.MetadataValue.md(pictures),
        }
        return Judgement(not worse, f"worse than {production.label} on {told}" if worse else None, metadata)


def gate(
    on: str,
    scores: Scores,
    *,
    loss: Loss = "brier",
    segments: Sequence[str] = (),
    cluster: str | None = None,
    blocking: bool = True,
) -> GateAudit:
    """A check that a model is not worse than production's, beyond a paired bootstrap interval of 95 %.

    Args:
        on: the parameter of the model's function that holds the rows to judge on.
        scores: takes a model, those rows and the partition (empty without one), and gives one row per held-out row
            with `truth`, `score`, and the columns named below. Called once for each of the two models.
        loss: of one row, less is better. `brier` and `log_loss` for probabilities, the others for quantities.
        segments: columns, each of whose values must not be worse either.
        cluster: a column whose rows depend on each other, such as the day.
    """
    return GateAudit(on, scores, loss, tuple(segments), cluster, blocking)


def rival(catalog: Catalog, model: str, partitions: Sequence[str]) -> Version | None:
    """Production's model for the same partition, else the newest one before it."""
    shown = catalog.resolve(PRODUCTION, model)
    partition = partitions[0] if partitions else ""
    keys = [key for key in shown if key <= partition]
    return shown[max(keys)].version if keys else None


def loss_of(loss: Loss) -> pl.Expr:
    """The loss of each row from `truth` and `score`."""
    truth, score = pl.col(TRUTH), pl.col(SCORE)
    if loss == "log_loss":
        likely = score.clip(ALMOST, 1 - ALMOST)
        return -(truth * likely.log() + (1 - truth) * (1 - likely).log())
    return (truth - score).abs() if loss == "absolute_error" else (truth - score) ** 2


def worst_first(verdicts: Sequence[Verdict]) -> list[Verdict]:
    return sorted(verdicts, key=lambda item: -item.low)


def _told(verdict: Verdict, loss: Loss) -> str:
    return (
        f"{verdict.part} ({loss} {verdict.challenger:.4f} instead of {verdict.production:.4f},"
        f" {verdict.rows:,} rows, at least {verdict.low:.4f} worse)"
    )


def _table(verdicts: Sequence[Verdict]) -> str:
    head = ["| part | rows | production | challenger | difference | |", "|---|---|---|---|---|---|"]
    return "\n".join(
        [
            *head,
            *(
                f"| {v.part} | {v.rows:,} | {v.production:.4f} | {v.challenger:.4f} | {v.low:+.4f} to {v.high:+.4f} |"
                f" {'worse' if v.is_worse else ''} |"
                for v in verdicts
            ),
        ]
    )


def _pictures(ours: pl.DataFrame, theirs: pl.DataFrame, loss: Loss) -> str:
    """The ROC curves of two classifiers, or of two regressions the share of rows by the size of the error."""
    draw = roc if loss in ("brier", "log_loss") else error_curve
    title = "ROC curves" if draw is roc else "share of rows by error"
    return f"{title}: production blue, challenger orange\n\n{two_curves(draw(theirs), draw(ours), title)}"


def roc(scored: pl.DataFrame) -> list[tuple[float, float]]:
    """Shares of false and true alarms, from the highest score down."""
    ranked = scored.group_by(SCORE).agg(hits=pl.col(TRUTH).sum(), all=pl.len()).sort(SCORE, descending=True)
    hits, misses = ranked["hits"].cum_sum(), (ranked["all"] - ranked["hits"]).cum_sum()
    curve = pl.DataFrame({"x": misses / max(misses[-1] or 1, 1), "y": hits / max(hits[-1] or 1, 1)})
    return [(0.0, 0.0), *curve.gather_every(max(1, curve.height // POINTS)).iter_rows(), (1.0, 1.0)]


def error_curve(scored: pl.DataFrame) -> list[tuple[float, float]]:
    errors = scored.select((pl.col(TRUTH) - pl.col(SCORE)).abs().sort()).to_series()
    top = errors[-1] or 1
    return [(float(errors.quantile(step / POINTS) or 0) / top, step / POINTS) for step in range(POINTS + 1)]
