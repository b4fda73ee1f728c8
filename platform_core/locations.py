"""The list of locations: workspace.yaml, and nothing else."""

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


def all_locations() -> list[Location]:
    """The locations in the order of workspace.yaml."""
    repository = current_settings().repository
    path = repository / "workspace.yaml"
    try:
        entries = yaml.safe_load(path.read_text())["load_from"]
        modules = [entry["python_module"] for entry in entries]
        return [
            Location(module["location_name"], module["module_name"], repository / module["executable_path"])
            for module in modules
        ]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise SettingsError(
            f"{path} is not a list of locations: each entry is a python_module with module_name, location_name and"
            f" executable_path ({type(error).__name__}: {error})."
        ) from error


def find_location(name: str) -> Location:
    locations = {location.name: location for location in all_locations()}
    if name not in locations:
        raise NotFoundError(
            f"There is no location '{name}'.{did_you_mean(name, locations)} There are: {listed(locations)}."
        )
    return locations[name]
