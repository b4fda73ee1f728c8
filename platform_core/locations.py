"""The list of locations: workspace.yaml, and nothing else."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

import yaml

from platform_core.errors import NotFoundError, SettingsError, did_you_mean, listed
from platform_core.settings import current_settings


@dataclass(frozen=True, slots=True)
class Location:
    """One team's code: its name, the module with its definitions, and the interpreter of its environment."""

    name: str
    module: str
    interpreter: Path

    def require_environment(self) -> None:
        """Raises when the environment was not installed."""
        if not self.interpreter.is_file():
            folder = self.interpreter.parent.parent.parent
            raise SettingsError(
                f"Location {self.name} has no environment yet: {self.interpreter} does not exist."
                f" Make it with: uv sync --locked --project {folder}"
            )


def all_locations(repository: Path | None = None) -> list[Location]:
    """The locations in the order of workspace.yaml, by default of the repository that is worked in."""
    repository = repository or current_settings().repository
    path = repository / "workspace.yaml"
    try:
        return locations_in(path.read_text(), repository)
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise SettingsError(
            f"{path} is not a list of locations: each entry is a python_module with module_name, location_name and"
            f" executable_path ({type(error).__name__}: {error})."
        ) from error


def locations_in(workspace: str, repository: Path) -> list[Location]:
    """The locations that the text of a workspace.yaml names."""
    modules = [entry["python_module"] for entry in yaml.safe_load(workspace)["load_from"]]
    return [
        Location(module["location_name"], module["module_name"], repository / module["executable_path"])
        for module in modules
    ]


def not_loaded(name: str, seconds: float) -> str:
    """Says that the code of a location never came up, and what helps."""
    return (
        f"The location {name} was not loaded within {seconds:g} seconds. Look for what never ends when its modules are"
        " imported, or give it longer with HEADRACE_LOAD_TIMEOUT."
    )


def owner_in(folder: Path) -> str | None:
    """The owner that a location's pyproject.toml names under `[tool.headrace]`, such as `team:flight-operations`."""
    path = folder / "pyproject.toml"
    if not path.is_file():
        return None
    owner = tomllib.loads(path.read_text()).get("tool", {}).get("headrace", {}).get("owner")
    return str(owner) if owner else None


def owners() -> dict[str, str]:
    """By name of a location its owner; those that have none are left out."""
    repository = current_settings().repository
    folders = {location.name: repository.joinpath(*location.module.split(".")[:-1]) for location in all_locations()}
    return {name: owner for name, folder in folders.items() if (owner := owner_in(folder))}


def find_location(name: str) -> Location:
    locations = {location.name: location for location in all_locations()}
    if name not in locations:
        raise NotFoundError(
            f"There is no location '{name}'.{did_you_mean(name, locations)} There are: {listed(locations)}."
        )
    return locations[name]
