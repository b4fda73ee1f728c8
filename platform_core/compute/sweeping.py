"""What run workers that are gone left behind, on all backends of a deployment."""

from contextlib import closing
from dataclasses import dataclass

from platform_core.compute.backends.backend import Leftover
from platform_core.compute.placement import ComputeTable
from platform_core.compute.spec import BackendName
from platform_core.errors import HeadraceError


@dataclass(frozen=True)
class Swept:
    """What was found, in words.

    Args:
        removed: containers and Jobs.
        kept: a sentence for each that still runs, and for the default backend if it could not be asked.
    """

    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def sweep_backends(table: ComputeTable, now: float, *, dry_run: bool = False) -> Swept:
    """Removes what is past its time, `now` in seconds since 1970. One backend that is away leaves the others."""
    removed, kept = [], []
    for name in table.backends:
        try:
            found = _sweep(table, name, now, dry_run=dry_run)
        except HeadraceError as error:
            if name == table.default:  # another may well be one that nobody has set up
                kept.append(f"The backend {name} was not looked through: {error}")
            continue
        removed += [f"{name} {left.name}" for left in found if not left.runs]
        kept += [f"{name} {left.name} still runs though its time is over." for left in found if left.runs]
    return Swept(tuple(removed), tuple(kept))


def _sweep(table: ComputeTable, name: BackendName, now: float, *, dry_run: bool) -> list[Leftover]:
    with closing(table.backends[name]()) as backend:
        return list(backend.sweep(now, table.profiles.values(), dry_run=dry_run))
