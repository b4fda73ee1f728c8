"""Computes the very partitions that a branch, or its promotion, needs."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from platform_core.branches.pending import Wanted
from platform_core.cli.conversation import converse
from platform_core.cli.run_report import Report
from platform_core.locations import find_location
from platform_core.settings import as_if_in


def compute(wanted: Wanted, variables: Mapping[str, str]) -> bool:
    """Whether all went well; what comes after something that failed is not started.

    Args:
        wanted: by asset the partitions, upstream before downstream.
        variables: the settings of the code and the namespace.
    """
    with as_if_in(dict(variables)):
        return all(_run(list(assets), wanted) for assets in _by_location(wanted))


def _by_location(wanted: Wanted) -> Iterator[Iterator[str]]:
    """Stretches of neighbours of one location, so that what is read from another one is there before."""
    for _, assets in groupby(wanted, key=lambda asset: asset.partition("/")[0]):
        yield assets


def _run(assets: Sequence[str], wanted: Wanted) -> bool:
    location = find_location(assets[0].partition("/")[0])
    request = {"selection": " or ".join(assets), "partition": "", "wanted": {asset: wanted[asset] for asset in assets}}
    report = Report(location)
    with report:
        for message in converse(location, verb="run", **request):
            report.take(message)
    report.print_table()
    return report.ok
