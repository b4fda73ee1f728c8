"""Figures as pictures: drawn by whatever library, kept as PNG or SVG beside the value, shown as Markdown.

An executed notebook is kept in the same place.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from platform_core.catalog.values import Version
from platform_core.errors import UnsupportedValueError
from platform_core.store.names import segment
from platform_core.store.store import Store

FOLDER = "figures"
NOTEBOOK, ENDING = "notebook", "ipynb"
PNG = b"\x89PNG\r\n\x1a\n"
LARGEST = 5_000_000  # bytes; Dagster's event log holds them too
_IN_MARKDOWN = re.compile(r"\s*!\[[^\]]*\]\(data:image/(?:png|svg\+xml);base64,([A-Za-z0-9+/=\s]+)\)\s*")


def picture_of(name: str, figure: Any) -> bytes:
    """A figure as PNG or SVG: of matplotlib or plotly, a path, or what it is already.

    Raises:
        UnsupportedValueError: it is nothing that can be drawn, or too large.
    """
    content = _content(figure)
    if content is None:
        raise UnsupportedValueError(
            f"The figure {name} is a {type(figure).__name__}; give one of matplotlib or plotly, PNG bytes, or an SVG."
        )
    if len(content) > LARGEST:
        raise UnsupportedValueError(
            f"The figure {name} has {len(content):,} bytes, more than {LARGEST:,}; draw fewer points or fewer pixels."
        )
    return content


def _content(figure: Any) -> bytes | None:
    if isinstance(figure, str):
        figure = figure.encode() if "<svg" in figure else Path(figure)
    if isinstance(figure, Path):
        figure = figure.read_bytes()
    if isinstance(figure, bytes):
        return figure if kind_of(figure) in ("png", "svg") else None
    if hasattr(figure, "savefig"):
        return _drawn(figure.savefig, format="png", bbox_inches="tight")
    if hasattr(figure, "to_image"):
        return bytes(figure.to_image(format="png"))
    if hasattr(figure, "figure"):  # axes
        return _content(figure.figure)
    return None


def _drawn(save: Any, **options: Any) -> bytes:
    target = BytesIO()
    save(target, **options)
    return target.getvalue()


def kind_of(picture: bytes) -> str:
    """`png` or `svg`, `ipynb` for a notebook; empty for what is none of them."""
    if picture.startswith(PNG):
        return "png"
    return ENDING if picture.startswith(b"{") else "svg" if b"<svg" in picture[:1000] else ""


def as_markdown(name: str, picture: bytes) -> str:
    return f"![{name}]({_address(picture)})"


def html_picture(picture: bytes) -> str:
    return f'<img src="{_address(picture)}">'  # in which an SVG runs no script


def _address(picture: bytes) -> str:
    kind = {"png": "image/png", "svg": "image/svg+xml"}[kind_of(picture)]
    return f"data:{kind};base64,{base64.b64encode(picture).decode()}"


def in_markdown(text: str) -> bytes | None:
    """The picture that a Markdown text consists of; None where it is more or something else."""
    found = _IN_MARKDOWN.fullmatch(text) if text.lstrip().startswith("![") else None
    return base64.b64decode(found[1]) if found else None


def write_figures(folder: Path, figures: Mapping[str, bytes]) -> None:
    """Writes figures into the folder of a version."""
    if figures:
        (folder / FOLDER).mkdir()
    for name, picture in figures.items():
        (folder / FOLDER / f"{segment(name)}.{kind_of(picture)}").write_bytes(picture)


def read_figures(store: Store, version: Version) -> dict[str, bytes]:
    """The figures of a version by name, as they were written."""
    return {unquote(path.stem): path.read_bytes() for path in _paths(store, version) if path.suffix != f".{ENDING}"}


def read_executed(store: Store, version: Version) -> bytes | None:
    """The executed notebook of a version; None of one that was not computed by a notebook."""
    found = (path for path in _paths(store, version) if path.suffix == f".{ENDING}")
    return next((path.read_bytes() for path in found), None)


def _paths(store: Store, version: Version) -> list[Path]:
    return store.verified_paths(replace(version, files=version.figures)) if version.figures else []
