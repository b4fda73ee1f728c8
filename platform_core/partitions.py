"""Partitions in terms of a team: what an asset needs of the partitions before its own, and partitions as text."""

from collections.abc import Sequence

import dagster as dg

from platform_core.errors import PartitionError, did_you_mean


def lookback(periods: int) -> dg.TimeWindowPartitionMapping:
    """Reads the same partition, which has to be there, and the `periods` before it, as far as there are any."""
    return dg.TimeWindowPartitionMapping(start_offset=-periods)


def parse_keys(text: str, known: Sequence[str]) -> list[str]:
    """The partitions that a text means: a key, a range `2013-01..2013-06`, `all` or `latest`.

    Raises:
        PartitionError: a key is not among the known ones, or a range runs backwards.
    """
    if text == "all":
        return list(known)
    if text == "latest":
        return list(known[-1:])
    first, dots, last = text.partition("..")
    ends = [_position(key, known) for key in ((first, last) if dots else (first,))]
    if ends[0] > ends[-1]:
        raise PartitionError(f"The range {text} runs backwards; write {last}..{first}.")
    return list(known[ends[0] : ends[-1] + 1])


def _position(key: str, known: Sequence[str]) -> int:
    if key not in known:
        between = f"there are {len(known)}, from {known[0]} to {known[-1]}" if known else "there are none yet"
        raise PartitionError(f"There is no partition {key}; {between}.{did_you_mean(key, known)}")
    return known.index(key)


def contiguous(keys: Sequence[str], known: Sequence[str]) -> list[list[str]]:
    """Keys in the order of `known`, cut wherever one between them is left out."""
    wanted = set(keys)
    stretches: list[list[str]] = [[]]
    for key in known:
        if key in wanted:
            stretches[-1].append(key)
        elif stretches[-1]:
            stretches.append([])
    return [stretch for stretch in stretches if stretch]
