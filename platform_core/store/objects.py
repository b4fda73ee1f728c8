"""Objects: anything that is not a table. Formats that run no code when they are read come first, pickle last.

Heavy libraries are recognised by what is imported already: a value of a library's type cannot exist before.
"""

import importlib.util
import json
import math
import pickle
import shutil
import sys
from pathlib import Path
from typing import Any

from platform_core.catalog.values import Format
from platform_core.errors import UnsupportedValueError

NAME = "object"
ONE = "value"  # the name of a tensor that came alone
_WHOLE = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
_NUMBERS = ("bool", "float16", "float32", "float64", *_WHOLE)


def write_object(value: Any, folder: Path) -> Format:
    """Writes one object and says in which format."""
    if isinstance(value, Path) and value.is_dir():
        _copy_folder(value, folder / NAME)
        return "folder"
    if is_json(value):
        (folder / f"{NAME}.json").write_text(json.dumps(value, allow_nan=False))
        return "json"
    if _is_estimator(value) and importlib.util.find_spec("skops"):
        import skops.io

        skops.io.dump(value, folder / f"{NAME}.skops", compression=8)
        return "skops"
    if (library := _tensors_of(value)) and importlib.util.find_spec("safetensors"):
        _write_tensors(value, library, folder / f"{NAME}.safetensors")
        return "safetensors"
    _pickle(value, folder / f"{NAME}.pickle")
    return "pickle"


def _copy_folder(source: Path, target: Path) -> None:
    if not any(path.is_file() for path in source.rglob("*")):
        raise UnsupportedValueError(f"The folder {source} holds no files, so there is nothing to keep.")
    shutil.copytree(source, target)


def is_json(value: object) -> bool:
    """Whether a value comes back from JSON as exactly what it was: no tuples, no keys that are numbers, no NaN."""
    if type(value) is dict:
        return all(type(key) is str and is_json(item) for key, item in value.items())
    if type(value) is list:
        return all(map(is_json, value))
    return value is None or type(value) in (bool, int, str) or (type(value) is float and math.isfinite(value))


def _is_estimator(value: object) -> bool:
    return any(base.__module__ == "sklearn.base" for base in type(value).__mro__)


def _tensors_of(value: object) -> str | None:
    """The library of a tensor, or of all tensors of a dictionary such as a model's `state_dict()`."""
    if isinstance(value, dict):
        kinds = {_tensors_of(item) if type(key) is str else None for key, item in value.items()}
        nested = any(isinstance(item, dict) for item in value.values())
        return kinds.pop() if len(kinds) == 1 and not nested else None
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    if torch and isinstance(value, torch.Tensor):
        return "torch"
    return "numpy" if numpy and type(value) is numpy.ndarray and str(value.dtype) in _NUMBERS else None


def _write_tensors(value: Any, library: str, path: Path) -> None:
    tensors = dict(value) if isinstance(value, dict) else {ONE: value}
    about = {"library": library, "alone": "" if isinstance(value, dict) else "yes"}
    if library == "torch":
        import safetensors.torch

        # Tensors that share memory, as tied weights do, are refused; each gets its own.
        own = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
        safetensors.torch.save_file(own, path, about)
    else:
        import numpy
        import safetensors.numpy

        arrays = {name: numpy.asarray(tensor, order="C") for name, tensor in tensors.items()}
        safetensors.numpy.save_file(arrays, path, about)


def _read_tensors(path: Path) -> Any:
    from safetensors import safe_open

    with safe_open(path, "np") as file:
        about = file.metadata()
    with safe_open(path, "pt" if about["library"] == "torch" else "np") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 -- no mapping
    return tensors[ONE] if about["alone"] else tensors


def _pickle(value: Any, path: Path) -> None:
    try:
        path.write_bytes(pickle.dumps(value, protocol=5))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise UnsupportedValueError(
            f"A value of the type {type(value).__qualname__} cannot be stored ({error});"
            " return a table, a scikit-learn estimator, a folder or an object that pickle can hold."
        ) from error


def read_object(path: Path, format: Format) -> Any:
    """Reads back what `write_object` wrote. Only files whose checksum was verified may be given here."""
    if format == "folder":
        return path
    if format == "json":
        return json.loads(path.read_text())
    if format == "safetensors":
        return _read_tensors(path)
    return _read_skops(path) if format == "skops" else pickle.loads(path.read_bytes())


def _read_skops(path: Path) -> Any:
    import skops.io

    # The file is the one we wrote (its checksum said so); still only scientific libraries may be named in it.
    foreign = [name for name in skops.io.get_untrusted_types(file=path) if not name.startswith(_SCIENTIFIC)]
    if foreign:
        raise UnsupportedValueError(f"The model {path} names types that are not trusted: {', '.join(foreign)}.")
    return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))


_SCIENTIFIC = ("sklearn.", "numpy.", "scipy.", "pandas.", "polars.", "builtins.", "collections.", "code_locations.")
