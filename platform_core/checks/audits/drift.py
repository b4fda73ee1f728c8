"""Has the distribution moved away from what production's model was trained on?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg
import polars as pl

from platform_core.catalog.values import Version
from platform_core.checks.audits.audit import Judgement, Subject
from platform_core.checks.distributions import MOST_MISSING, MOST_PSI, Shift, comparable, compare_columns
from platform_core.checks.pictures import two_distributions
from platform_core.checks.variation import FEWEST
from platform_core.errors import CheckError, listed
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.store.values import read_versions

if TYPE_CHECKING:
    from platform_core.catalog.catalog import Catalog

MOST_PICTURES = 4


@dataclass(frozen=True, slots=True)
class Reference:
    """The versions that were current when a model was trained, and that model."""

    model: Version
    versions: tuple[Version, ...]

    @property
    def has_partitions(self) -> bool:
        return any(version.partition for version in self.versions)


@dataclass(frozen=True, slots=True)
class DriftAudit:
    """Each column against the version that production's model was trained on."""

    columns: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    model: str | None = None
    most_psi: float = MOST_PSI
    most_missing: float = MOST_MISSING
    blocking: bool = False
    name: str = "drift"
    description: str = (
        "Distributions and missing values of each column against the version that production's model was trained on."
    )

    def judge(self, subject: Subject) -> Judgement:
        models = [self.model] if self.model else list(subject.models)
        if not models:
            return Judgement(True, "No model is trained on it: there is nothing to compare with.")
        references = [found for name in models if (found := find_reference(subject, name)) is not None]
        if not references:
            return Judgement(True, f"No version of {listed(models)} is in production yet: there is no reference.")
        judged = [self._against(subject, reference) for reference in references]
        sentences = [item.sentence for item in judged if item.sentence]
        metadata = {name: value for item in judged for name, value in item.metadata.items()}
        return Judgement(all(item.passed for item in judged), " ".join(sentences) or None, metadata)

    def _against(self, subject: Subject, reference: Reference) -> Judgement:
        columns = self._columns(subject, reference)
        parts = [read_versions(subject.store, [version], pl.LazyFrame) for version in reference.versions]
        shifts = compare_columns(parts, subject.frame.lazy(), columns)
        metadata = self._metadata(shifts, reference)
        if reference.has_partitions and len(parts) < FEWEST:
            few = f"Not judged: {len(parts)} partitions are too few to know how much they usually differ."
            return Judgement(True, few, metadata)
        moved = [told for item in shifts if (told := self._told(item, len(shifts)))]
        sentence = f"{listed(moved)}, against {_label(reference)}" if moved else None
        return Judgement(not moved, sentence, metadata)

    def _told(self, shift: Shift, columns: int) -> str | None:
        """What is strange about a column, if anything is."""
        if shift.misses_other(self.most_missing, columns=columns):
            return f"{shift.column} is missing in {shift.missing[1]:.0%} of rows instead of {shift.missing[0]:.0%}"
        if shift.has_shifted(self.most_psi, columns=columns):
            return f"{shift.column} has shifted (PSI {shift.psi:.2f} of {shift.psi_limit(self.most_psi, columns):.2f})"
        return None

    def _metadata(self, shifts: Sequence[Shift], reference: Reference) -> dict[str, Any]:
        worst = sorted(shifts, key=lambda item: -item.psi)
        hidden = frozenset[str]().union(*(version.sensitive for version in reference.versions))
        drawn = [item for item in worst if item.column not in hidden][:MOST_PICTURES]
        name = reference.model.asset
        return {
            f"reference of {name}": reference.model.label,
            f"columns against {name}": dg.MetadataValue.md(self._table(worst)),
            **{f"{item.column} ({name})": dg.MetadataValue.md(_picture(item)) for item in drawn},
        }

    def _table(self, shifts: Sequence[Shift]) -> str:
        lines = [
            f"| {s.column} | {s.kind} | {s.psi:.3f} | {s.psi_limit(self.most_psi, len(shifts)):.2f} | {s.p:.2g} |"
            f" {s.missing[0]:.1%} | {s.missing[1]:.1%} |"
            for s in shifts
        ]
        head = ["| column | kind | PSI | limit | p | missing before | missing now |", "|---|---|---|---|---|---|---|"]
        return "\n".join([*head, *lines])

    def _columns(self, subject: Subject, reference: Reference) -> list[str]:
        kinds = comparable(subject.frame.schema)
        if unknown := [name for name in self.columns if name not in kinds]:
            raise CheckError(f"{subject.asset} has no column {listed(unknown)} with numbers or categories.")
        known = set.intersection(*({column.name for column in item.schema} for item in reference.versions))
        left_out = {*self.ignore, *subject.row_key, subject.partition_by}
        wanted = self.columns or [name for name in kinds if name not in left_out]
        return [name for name in wanted if name in known]


def drift(
    *columns: str,
    ignore: Sequence[str] = (),
    model: str | None = None,
    most_psi: float = MOST_PSI,
    most_missing: float = MOST_MISSING,
    blocking: bool = False,
) -> DriftAudit:
    """A check that tells columns whose values are distributed otherwise than where production's model learned.

    A column is told when its population stability index exceeds `most_psi` and a two-sample test finds less than one
    in 1,000, or when its share of missing values differs by more than `most_missing`. Where the reference has
    partitions, what these differ from each other comes on top, so that one honest value in 200 is told at most.

    Args:
        columns: only these; otherwise all of numbers and categories but the key and the partition.
        model: the model, in full; otherwise those that the location trains on the asset, or that made it.
    """
    return DriftAudit(tuple(columns), tuple(ignore), model, most_psi, most_missing, blocking)


def find_reference(subject: Subject, model: str) -> Reference | None:
    """What of the asset production's model was trained on; of predictions, those of the partitions it learned from."""
    trained = current_model(subject.catalog, model, subject.partitions)
    if trained is None:
        return None
    ids = [item.version for item in trained.provenance.inputs if item.asset == subject.asset]
    versions = [item for item in subject.catalog.versions(ids) if item.forgotten_at is None]
    if not ids:
        keys = {item.partition for item in trained.provenance.inputs}
        shown = subject.catalog.resolve(PRODUCTION, subject.asset)
        versions = [item.version for key, item in shown.items() if key in keys and key not in subject.partitions]
    return Reference(trained, tuple(versions)) if versions else None


def current_model(
    catalog: Catalog, model: str, partitions: Sequence[str], namespace: Namespace = PRODUCTION
) -> Version | None:
    """The version of a model in use: of one with partitions the newest that did not learn from these partitions."""
    shown = [item.version for _, item in sorted(catalog.resolve(namespace, model).items())]
    fresh = [item for item in shown if not {read.partition for read in item.provenance.inputs} & {*partitions} - {""}]
    chosen = fresh or shown
    return chosen[-1] if chosen else None


def _label(reference: Reference) -> str:
    keys = sorted({version.partition for version in reference.versions} - {""})
    of = f" [{keys[0]}..{keys[-1]}]" if keys else ""
    return f"what {reference.model.label} was trained on{of}"


def _picture(shift: Shift) -> str:
    drawn = two_distributions(shift.before, shift.after, shift.column)
    return f"{shift.column} (PSI {shift.psi:.2f})\n\n{drawn}"
