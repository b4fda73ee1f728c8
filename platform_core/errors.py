"""What can go wrong, as sentences: each error names the culprit and the fix."""

from collections.abc import Iterable
from difflib import get_close_matches


class HeadraceError(Exception):
    """A mistake that a person can mend. Its text is the whole message; nobody needs the traceback."""


class SettingsError(HeadraceError):
    """A `HEADRACE_*` setting has a value that cannot be used."""


class NamespaceError(HeadraceError):
    """A namespace has a name that cannot be one, or does not exist."""


class DefinitionError(HeadraceError):
    """A location declares something that the platform refuses, told when definitions load."""


class SourceError(HeadraceError):
    """A source file is missing, broken, or not of the shape that was agreed."""


class PartitionError(HeadraceError):
    """A partition does not exist, or a value holds rows of other partitions."""


class NotFoundError(HeadraceError):
    """A namespace shows no version of what was asked for."""


class ConflictError(HeadraceError):
    """A namespace no longer shows what a change was made for. `places` are the assets and partitions that moved."""

    def __init__(self, sentence: str, places: Iterable[str] = ()) -> None:
        super().__init__(sentence)
        self.places = tuple(places)


class CatalogError(HeadraceError):
    """The catalog's database cannot be reached, is full or locked, or does not let this role do something."""


class StoreError(HeadraceError):
    """The place of the files is full, cannot be reached, or does not let this process do something."""


class CorruptVersionError(HeadraceError):
    """The files of a version are not what was committed."""


class UnsupportedValueError(HeadraceError):
    """The store cannot hold a value of this type, or cannot give it in the type asked for."""


def listed(names: Iterable[str], most: int = 6) -> str:
    """Names as a phrase: `a, b and 3 more`."""
    known = list(names)
    head = ", ".join(known[:most])
    return head if len(known) <= most else f"{head} and {len(known) - most} more"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question to end a sentence with, or nothing when no known name comes close."""
    close = get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(close)}?" if close else ""
