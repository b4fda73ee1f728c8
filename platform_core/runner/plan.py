"""Turns a selection and a choice of partitions into Dagster runs.

One run can compute a range of partitions of all assets whose tables the platform can split. Assets that cannot be
split (a model is one object for each partition) get one run for each partition.
"""

import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import dagster as dg

from platform_core.errors import NotFoundError, PartitionError, did_you_mean, listed
from platform_core.io_manager import PARTITION_BY
from platform_core.partitions import contiguous, parse_keys
from platform_core.runner.loading import LoadedLocation

Mode = Literal["once", "range", "each"]


@dataclass(frozen=True)
class PlannedRun:
    """One Dagster run: these assets, of these neighbouring partitions (none for assets without partitions)."""

    assets: tuple[dg.AssetKey, ...]
    partitions: tuple[str, ...]
    batch: int


@dataclass(frozen=True)
class Plan:
    runs: tuple[PlannedRun, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Batch:
    """Assets that can share a run: same way of running, same partitions, nothing of another kind in between."""

    order: int
    mode: Mode
    known: tuple[str, ...]


Existing = Callable[[dg.AssetKey], Iterable[str]]


def make_plan(
    location: LoadedLocation,
    selection: str,
    partition: str,
    existing: Existing,
    wanted: Mapping[str, Sequence[str]] | None = None,
) -> Plan:
    """Plans a selection.

    Args:
        selection: in Dagster's selection syntax; asset names may be given without the location. Empty: everything.
        partition: a key, a range, `all`, `latest`, or empty: those that are missing, or the latest when none is.
        existing: the partitions of an asset that the namespace shows already.
        wanted: by the name of an asset its very partitions, in place of `partition`.
    """
    batches = sorted(_batches(location, select(location, selection)).items(), key=lambda item: item[0].order)
    asked = _keys_asked_for(partition, [batch for batch, _ in batches])
    runs: list[PlannedRun] = []
    notes: list[str] = []
    for number, (batch, assets) in enumerate(batches):
        named = _named(batch, assets, wanted) if wanted is not None else None
        keys = _wanted(batch, assets, asked, existing, notes) if named is None else named
        runs += [PlannedRun(tuple(assets), part, number) for part in _parts(batch, keys)]
    return Plan(tuple(runs), tuple(notes))


def select(location: LoadedLocation, text: str) -> list[dg.AssetKey]:
    """The selected assets, upstream before downstream."""
    if not text:
        return location.keys
    full = {key.path[-1]: key.to_user_string() for key in location.keys}
    full |= {name: name for name in full.values()}
    expression = re.sub(r'(?<![\w/:="])([\w/]+)(?![\w/:="(])', lambda match: _as_key(match[1], full), text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)
            chosen = dg.AssetSelection.from_string(expression).resolve(location.graph)
    except Exception as error:
        raise NotFoundError(f"The selection '{text}' cannot be understood: {str(error).splitlines()[0]}") from error
    keys = [key for key in location.keys if key in chosen]
    if not keys:
        alike = [name for name in full if ("/" in name) == ("/" in text)]  # each asset is known by two names
        raise NotFoundError(f"Location {location.name} has no asset '{text}'.{did_you_mean(text, alike)}")
    return keys


def _as_key(word: str, full: Mapping[str, str]) -> str:
    syntax = word in ("and", "or", "not") or word.isdigit()  # as in 2+features
    return word if syntax else f'key:"{full.get(word, word)}"'


def _batches(location: LoadedLocation, selected: Sequence[dg.AssetKey]) -> dict[_Batch, list[dg.AssetKey]]:
    placed: dict[dg.AssetKey, _Batch] = {}
    for key in selected:
        mode, known = _mode(location, key), _partitions(location, key)
        upstream = [placed[parent] for parent in location.graph.get(key).parent_keys if parent in placed]
        order = max((batch.order + ((batch.mode, batch.known) != (mode, known)) for batch in upstream), default=0)
        placed[key] = _Batch(order, mode, known)
    batches: dict[_Batch, list[dg.AssetKey]] = {}
    for key, batch in placed.items():
        batches.setdefault(batch, []).append(key)
    return batches


def _partitions(location: LoadedLocation, key: dg.AssetKey) -> tuple[str, ...]:
    definition = location.graph.get(key).partitions_def
    return tuple(definition.get_partition_keys()) if definition else ()


def _mode(location: LoadedLocation, key: dg.AssetKey) -> Mode:
    node = location.graph.get(key)
    if node.partitions_def is None:
        return "once"
    reads_objects = any(_one_at_a_time(location, parent) for parent in node.parent_keys)
    return "each" if _one_at_a_time(location, key) or reads_objects else "range"


def _one_at_a_time(location: LoadedLocation, key: dg.AssetKey) -> bool:
    node = location.graph.get(key)
    single_run = node.backfill_policy == dg.BackfillPolicy.single_run()
    return node.partitions_def is not None and PARTITION_BY not in node.metadata and not single_run


def _wanted(
    batch: _Batch, assets: Sequence[dg.AssetKey], asked: Sequence[str] | None, existing: Existing, notes: list[str]
) -> list[str]:
    if batch.mode == "once":
        return []
    known = list(batch.known)
    if asked is not None:
        return _asked_for(known, assets, asked, notes)
    missing = {key for asset in assets for key in set(known) - set(existing(asset))}
    keys = [key for key in known if key in missing] or known[-1:]
    if len(keys) < len(known):
        notes.append(
            f"{_names(assets)}: computing {_span(keys)}; the other {len(known) - len(keys)} of {len(known)} partitions"
            " are there already (--partition all computes them again)"
        )
    return keys


def _named(batch: _Batch, assets: Sequence[dg.AssetKey], wanted: Mapping[str, Sequence[str]]) -> list[str]:
    named = {key for asset in assets for key in wanted.get(asset.to_user_string(), ())}
    return [key for key in batch.known if key in named]


def _asked_for(known: list[str], assets: Sequence[dg.AssetKey], asked: Sequence[str], notes: list[str]) -> list[str]:
    if list(asked) in (["all"], ["latest"]):
        return parse_keys(asked[0], known)
    keys = [key for key in known if key in asked]
    if len(keys) < len(asked):
        what = f"only {_span(keys)}" if keys else "left out"
        notes.append(f"{_names(assets)}: {what}, as its partitions are {_span(known)}")
    return keys


def _keys_asked_for(text: str, batches: Iterable[_Batch]) -> list[str] | None:
    """The partitions that a text names, among those of whichever asset has them all; None when nothing was said."""
    if text in ("", "all", "latest"):
        return [text] if text else None
    refusals = []
    for known in sorted({batch.known for batch in batches if batch.known}, key=len, reverse=True):
        try:
            return parse_keys(text, known)
        except PartitionError as error:
            refusals.append(error)
    raise refusals[0] if refusals else PartitionError(f"Nothing that is selected has partitions; leave out {text}.")


def _parts(batch: _Batch, keys: Sequence[str]) -> list[tuple[str, ...]]:
    if batch.mode == "once":
        return [()]
    if batch.mode == "each":
        return [(key,) for key in keys]
    return [tuple(stretch) for stretch in contiguous(keys, batch.known)]


def _span(keys: Sequence[str]) -> str:
    return keys[0] if len(keys) == 1 else f"{keys[0]}..{keys[-1]}" if keys else "none"


def _names(assets: Sequence[dg.AssetKey]) -> str:
    return listed([key.path[-1] for key in assets])
