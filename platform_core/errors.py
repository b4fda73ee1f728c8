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


class PromotionError(HeadraceError):
    """What a branch computed cannot become production's as it is, or nobody let it. `places` are those concerned."""

    def __init__(self, sentence: str, places: Iterable[str] = ()) -> None:
        super().__init__(sentence)
        self.places = tuple(places)


class AccessError(HeadraceError):
    """Who asks is not known, or may not do what was asked for."""


class RecoveryError(HeadraceError):
    """A backup cannot be made, or cannot be put back."""


class PullRequestError(HeadraceError):
    """A pull request cannot be told of a branch."""


class CatalogError(HeadraceError):
    """The catalog's database cannot be reached, is full or locked, or does not let this role do something."""


class StoreError(HeadraceError):
    """The place of the files is full, cannot be reached, or does not let this process do something."""


class FrozenError(HeadraceError):
    """An environment, its lock file or its image cannot be made, or is not the one that was planned."""


class CorruptVersionError(HeadraceError):
    """The files of a version are not what was committed."""


class CheckError(HeadraceError):
    """A check, or a join that guards against the future, cannot be applied to what it was given."""


class UnsupportedValueError(HeadraceError):
    """The store cannot hold a value of this type, or cannot give it in the type asked for."""


class WarehouseError(HeadraceError):
    """A query cannot be asked, failed, or took too long."""


class ExportError(HeadraceError):
    """Another tool cannot be told of a version."""


class OpenTableError(HeadraceError):
    """A table of production cannot be shown to other engines."""


def listed(names: Iterable[str], most: int = 6) -> str:
    """Names as a phrase: `a, b and 3 more`."""
    known = list(names)
    head = ", ".join(known[:most])
    return head if len(known) <= most else f"{head} and {len(known) - most} more"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question to end a sentence with, or nothing when no known name comes close."""
    close = get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(close)}?" if close else ""


def refusal(branch: str, reasons: Iterable[str]) -> str:
    """Why a branch is not promoted, in one sentence."""
    return f"{branch} cannot be promoted as it is: {listed(reasons)}."
