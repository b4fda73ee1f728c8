"""Looking for what breaks a schema: all rules in one pass over a table, with the rows that break each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from platform_core.checks.declared import Declared, DeclaredColumn, Rule

EXAMPLES = 5
REASON = "quarantined_because"


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that rows break: how many, as a sentence, and a few of the rows. `rule` None: the shape of the table."""

    rule: str | None
    sentence: str
    rows: int = 0
    sample: pl.DataFrame | None = None


def find_broken(frame: pl.DataFrame, schema: Declared) -> list[Broken]:
    """What of a schema a table breaks, shape first. No rule is looked at for a column that is missing or mistyped."""
    wrong = _shape(frame, schema)
    usable = [rule for rule in schema.rules if rule.column not in wrong]
    broken = [Broken(None, sentence) for sentence in wrong.values()]
    broken += _nulls(frame, [column for column in schema.columns if column.name not in wrong])
    if wrong:  # a rule over several columns may need the one that is wrong
        usable = [rule for rule in usable if rule.column is not None]
    return broken + _by_expression(frame, usable, schema.sensitive) + _by_pandera(frame, usable, schema.sensitive)


def _shape(frame: pl.DataFrame, schema: Declared) -> dict[str, str]:
    """By column what is wrong with it."""
    found = frame.schema
    wrong: dict[str, str] = {}
    for column in schema.columns:
        if column.name not in found:
            if column.required:
                wrong[column.name] = f"column {column.name} is missing"
        elif column.dtype is not None and found[column.name] != column.dtype:
            wrong[column.name] = f"column {column.name} should be {column.type} but is {found[column.name]}"
    names = [column.name for column in schema.columns]
    if schema.strict:
        wrong |= {name: f"column {name} is not in the schema" for name in found if name not in names}
    if schema.ordered and not wrong and [name for name in found if name in names] != names:
        wrong[""] = f"the columns are in another order than {', '.join(names)}"
    return wrong


def _nulls(frame: pl.DataFrame, columns: Sequence[DeclaredColumn]) -> list[Broken]:
    wanted = [column.name for column in columns if not column.nullable and column.name in frame.columns]
    counts = frame.select(wanted).null_count().row(0, named=True) if wanted and frame.height else {}
    # What is not a number is a missing value to pandera, as it is to everybody who counts them.
    for name in frame.select(pl.selectors.float() & pl.selectors.by_name(*wanted)).columns if wanted else ():
        counts[name] = counts.get(name, 0) + int(frame[name].is_nan().sum())
    return [
        Broken(None, f"column {name} holds nulls in {in_rows(count)}", count, _sample(frame, _missing(frame, name)))
        for name, count in counts.items()
        if count
    ]


def _missing(frame: pl.DataFrame, name: str) -> pl.Expr:
    value = pl.col(name)
    return value.is_null() | value.is_nan() if frame.schema[name].is_float() else value.is_null()


def _by_expression(frame: pl.DataFrame, rules: Sequence[Rule], hidden: Sequence[str]) -> list[Broken]:
    """Counts of all rules in one pass; only those that are broken are looked at again, for a few rows."""
    simple = [rule for rule in rules if rule.expression is not None and _has(frame, rule)]
    counts = frame.lazy().select(_count(rule).alias(rule.name) for rule in simple).collect() if simple else None
    found = counts.row(0, named=True) if counts is not None else {}
    told = [rule for rule in simple if found[rule.name]]
    return [_told(frame, rule, rule.expression, hidden) for rule in told if rule.expression is not None]


def _has(frame: pl.DataFrame, rule: Rule) -> bool:
    return rule.column is None or rule.column in frame.columns


def _count(rule: Rule) -> pl.Expr:
    """Whether a rule is broken. Distinct values are far quicker to count than rows that have a double."""
    assert rule.expression is not None
    if rule.check is None:
        (columns,) = [rule.expression.meta.root_names()]
        values = pl.col(columns[0]) if len(columns) == 1 else pl.struct(columns)
        return pl.len() - values.n_unique()
    return rule.expression.sum()


def _told(frame: pl.DataFrame, rule: Rule, mask: pl.Expr | pl.Series, hidden: Sequence[str]) -> Broken:
    rows = frame.filter(mask)
    examples = _examples(rows.drop(hidden, strict=False), rule)
    return Broken(rule.name, _sentence(rule, rows.height, examples), rows.height, rows.head(EXAMPLES))


def _by_pandera(frame: pl.DataFrame, rules: Iterable[Rule], hidden: Sequence[str]) -> list[Broken]:
    """The team's own checks, one after the other: what they do only they know."""
    found = []
    for rule in rules:
        if rule.expression is None and _has(frame, rule):
            found += _judged(frame, rule, hidden)
    return found


def _judged(frame: pl.DataFrame, rule: Rule, hidden: Sequence[str]) -> list[Broken]:
    try:
        mask = breaks(frame, rule)
    except Exception as error:  # a team's function may raise anything
        reason = str(error).partition("\n")[0]
        return [
            Broken(rule.name, f"{_subject(rule)} cannot be checked by {rule.text}: {type(error).__name__}: {reason}")
        ]
    if mask.len() != frame.height:  # it judged the whole
        return [Broken(rule.name, f"{_subject(rule)} breaks {rule.text}")] if mask.any() else []
    return [_told(frame, rule, mask, hidden)] if mask.any() else []


def breaks(frame: pl.DataFrame, rule: Rule) -> pl.Series:
    """True for each row that breaks a rule; one value where the rule judges the whole table."""
    if rule.expression is not None:
        return frame.select(rule.expression.alias("broken")).to_series()
    output = rule.check(frame.lazy(), rule.column).check_output
    kept = output.collect() if isinstance(output, pl.LazyFrame) else output
    kept = kept.to_series() if isinstance(kept, pl.DataFrame) else pl.Series([kept], dtype=pl.Boolean)
    return kept.fill_null(bool(rule.check.ignore_na)).not_()


def reasons(frame: pl.DataFrame, schema: Declared) -> pl.Series:
    """For each row the rules that it breaks, in words and with semicolons between; null where there are none."""
    columns = {f"{number}": mask for number, mask in enumerate(_masks(frame, schema))}
    if not columns:
        return pl.Series(REASON, [None] * frame.height, dtype=pl.String)
    told = pl.DataFrame(columns).select(pl.concat_str(pl.all(), separator="; ", ignore_nulls=True).alias(REASON))
    return told.select(pl.when(pl.col(REASON) != "").then(pl.col(REASON))).to_series()


def _masks(frame: pl.DataFrame, schema: Declared) -> Iterable[pl.Series]:
    wrong = _shape(frame, schema)
    for column in schema.columns:
        if not column.nullable and column.name in frame.columns and column.name not in wrong:
            yield _named(frame.select(_missing(frame, column.name)).to_series(), f"{column.name} is null")
    for rule in schema.rules:
        if rule.column not in wrong and _has(frame, rule) and not (wrong and rule.column is None):
            mask = breaks(frame, rule)
            if mask.len() == frame.height:
                yield _named(mask, f"{rule.column} breaks {rule.text}" if rule.column else f"breaks {rule.text}")


def _named(mask: pl.Series, reason: str) -> pl.Series:
    return pl.select(pl.when(mask).then(pl.lit(reason))).to_series()


def _sample(frame: pl.DataFrame, mask: pl.Expr) -> pl.DataFrame:
    return frame.lazy().filter(mask).head(EXAMPLES).collect()


def _sentence(rule: Rule, rows: int, examples: str) -> str:
    return f"{_subject(rule)} breaks {rule.text} in {in_rows(rows)}" + (f" ({examples})" if examples else "")


def _subject(rule: Rule) -> str:
    return f"column {rule.column}" if rule.column else "the table"


def _examples(rows: pl.DataFrame, rule: Rule) -> str:
    if rule.column is not None and rule.column not in rows.columns:
        return ""  # nobody may see its values
    if rule.column is None:
        return ", ".join(
            row for row in rows.head(EXAMPLES).select(pl.struct(pl.all()).struct.json_encode()).to_series()
        )
    return ", ".join(str(value) for value in rows[rule.column].unique(maintain_order=True).head(EXAMPLES))


def in_rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
