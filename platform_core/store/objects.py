"""Objects: anything that is not a table. scikit-learn goes through skops, which runs no code when it is read back."""

import importlib.util
import pickle
from pathlib import Path
from typing import Any

from platform_core.catalog.values import Format
from platform_core.errors import UnsupportedValueError

NAME = "object"


def write_object(value: Any, folder: Path) -> Format:
    """Writes one object and says in which format."""
    if _is_estimator(value) and importlib.util.find_spec("skops"):
        import skops.io

        skops.io.dump(value, folder / f"{NAME}.skops", compression=8)
        return "skops"
    _pickle(value, folder / f"{NAME}.pickle")
    return "pickle"


def _is_estimator(value: object) -> bool:
    return any(base.__module__ == "sklearn.base" for base in type(value).__mro__)


def _pickle(value: Any, path: Path) -> None:
    try:
        path.write_bytes(pickle.dumps(value, protocol=5))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise UnsupportedValueError(
            f"A value of the type {type(value).__qualname__} cannot be stored ({error});"
            " return a table, a scikit-learn estimator or an object that pickle can hold."
        ) from error


def read_object(path: Path, format: Format) -> Any:
    """Reads back what `write_object` wrote. Only files whose checksum was verified may be given here."""
    if format == "skops":
        import skops.io

        # The file is the one we wrote (its checksum said so); still only scientific libraries may be named in it.
        foreign = [name for name in skops.io.get_untrusted_types(file=path) if not name.startswith(_SCIENTIFIC)]
        if foreign:
            raise UnsupportedValueError(f"The model {path} names types that are not trusted: {', '.join(foreign)}.")
        return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    return pickle.loads(path.read_bytes())


_SCIENTIFIC = ("sklearn.", "numpy.", "scipy.", "pandas.", "polars.", "builtins.", "collections.", "code_locations.")
