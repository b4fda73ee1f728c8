"""The files of a new location: one that runs, to be replaced piece by piece."""

import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from platform_core.errors import DefinitionError

_SUFFIX = ".jinja"
_NAME, _OWNER = re.compile(r"[a-z][a-z0-9_]*"), re.compile(r"team:[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class NewLocation:
    """What a team says of it.

    Args:
        name: of the folder, and the first part of its assets' keys.
        owner: who answers for it, `team:<name>`.
        description: one sentence.

    Raises:
        DefinitionError: one of them cannot be used.
    """

    name: str
    owner: str
    description: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or keyword.iskeyword(self.name):
            raise DefinitionError(
                f"'{self.name}' cannot be the name of a location, which is a Python package as well:"
                " small letters, digits and underscores, and a letter first, such as demand_forecast."
            )
        if not _OWNER.fullmatch(self.owner):
            raise DefinitionError(f"'{self.owner}' is no team; the owner of a location is one, such as team:pricing.")


def texts(location: NewLocation, constraints: Sequence[str]) -> Mapping[str, str]:
    """The files by their path in the location's folder.

    Args:
        constraints: what the platform demands of versions, as in its own pyproject.toml.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    said = {"name": location.name, "owner": location.owner, "constraints": [*constraints]}
    said |= {"description": location.description or f"What {location.owner.removeprefix('team:')} works on."}
    root = files("platform_core.scaffolding").joinpath("location")
    return {
        path.removesuffix(_SUFFIX): environment.from_string(template).render(said)
        for path, template in _templates(root).items()
    }


def _templates(folder: Traversable, below: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for one in folder.iterdir():
        if one.is_dir():
            found |= _templates(one, f"{below}{one.name}/")
        elif one.name.endswith(_SUFFIX):
            found[f"{below}{one.name}"] = one.read_text()
    return found
