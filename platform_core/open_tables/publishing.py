"""Brings Iceberg tables to what production shows. Twice does nothing, so that whatever failed is simply done again."""

from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar

from platform_core.catalog.opening import open_catalog
from platform_core.errors import HeadraceError, OpenTableError, listed
from platform_core.namespaces import PRODUCTION
from platform_core.open_tables.catalogs import folder_of_metadata, open_iceberg
from platform_core.open_tables.table import OpenTable, Publication
from platform_core.settings import Settings, current_settings
from platform_core.store.opening import open_store

T = TypeVar("T")

ATTEMPTS = 3  # of a table that somebody else publishes at the same time


def changed_since(number: int) -> tuple[int, list[str]]:
    """The newest transaction, and the assets that production may show something else of than at an earlier one."""
    catalog = open_catalog(current_settings().catalog)
    newest = catalog.newest_transaction()
    return newest, sorted({asset for asset, _ in catalog.places_changed(PRODUCTION, number)})


def publish(assets: Iterable[str]) -> list[Publication]:
    """Makes the tables of assets show what production shows, those that are tables. What changed.

    Raises:
        OpenTableError: some could not be published; all others were.
    """
    settings = current_settings()
    iceberg = _guarded("The catalog of open tables cannot be used", lambda: open_iceberg(settings))
    done: list[Publication] = []
    failed: list[str] = []
    for asset in assets:
        try:
            done += filter(None, [_publish(settings, iceberg, asset)])
        except OpenTableError as error:
            failed.append(str(error))
    if failed:
        raise OpenTableError(listed(failed, most=3))
    return done


def _publish(settings: Settings, iceberg: Any, asset: str) -> Publication | None:
    catalog = open_catalog(settings.catalog)
    table = OpenTable(iceberg, asset, folder_of_metadata(settings), open_store(settings.store))

    def work() -> Publication | None:
        # The number first: what is committed in between is shown, and told of with the next transaction.
        number = catalog.newest_transaction()
        versions = [item.version for item in catalog.resolve(PRODUCTION, asset).values()]
        return table.publish([version for version in versions if version.format == "parquet"], number)

    return _guarded(f"{asset} was not published as an open table", lambda: _repeated(work))


def _repeated(work: Callable[[], T]) -> T:
    from pyiceberg.exceptions import CommitFailedException, TableAlreadyExistsError

    for _ in range(ATTEMPTS - 1):
        try:
            return work()
        except (CommitFailedException, TableAlreadyExistsError):
            continue
    return work()


def _guarded(what: str, work: Callable[[], T]) -> T:
    """Says in a sentence whatever the many libraries behind a catalog raise."""
    try:
        return work()
    except HeadraceError as error:
        raise OpenTableError(f"{what}: {error}") from error
    except Exception as error:
        reason = (str(error).strip().splitlines() or [""])[0]
        raise OpenTableError(f"{what}: {reason} ({type(error).__name__})") from error


def held_versions(assets: Collection[str]) -> set[str]:
    """The ids of versions that open tables show, now or in their history; none when there are no open tables.

    Raises:
        OpenTableError: nobody can tell.
    """
    settings = current_settings()
    if not settings.open_tables:
        return set()
    store, folder = open_store(settings.store), folder_of_metadata(settings)

    def work() -> set[str]:
        iceberg = open_iceberg(settings)
        return {id for asset in assets for id in OpenTable(iceberg, asset, folder, store).held()}

    return _guarded("Nothing is given up while nobody can tell what open tables show", work)
