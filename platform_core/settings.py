"""The settings a process runs with: `HEADRACE_*` variables over defaults that need no service."""

import getpass
import os
import re
from functools import lru_cache
from pathlib import Path

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from platform_core.errors import NamespaceError, SettingsError
from platform_core.namespaces import Namespace

_UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(MB|GB|TB)", re.IGNORECASE)


class Settings(BaseSettings):
    """Where this process reads and writes. Empty variables count as not set."""

    model_config = SettingsConfigDict(env_prefix="HEADRACE_", env_ignore_empty=True, frozen=True, extra="ignore")

    repository: Path = Field(default_factory=lambda: find_repository(), description="The folder with workspace.yaml.")
    home: Path = Field(
        default_factory=lambda data: data["repository"] / ".headrace",
        description="All local state: store, catalog, Dagster homes, caches, environments.",
    )
    namespace: str = Field(
        default_factory=lambda: str(Namespace.of_user(getpass.getuser())),
        description="Where writes land. Production is never the default.",
    )
    store: str = Field(
        default_factory=lambda data: str(data["home"] / "store"),
        description="The folder that holds the files of versions, or s3://bucket/prefix.",
    )
    catalog: str = Field(
        default_factory=lambda data: f"sqlite:///{data['home']}/catalog.db",
        description="An SQLAlchemy URL of the catalog.",
    )
    sources: Path = Field(
        default_factory=lambda data: data["home"] / "sources",
        description="The folder into which other systems deliver their files.",
    )

    cache: str = Field(
        default="10GB", description="How much decoded tables may take below the home, such as 10GB, or off."
    )

    @field_validator("cache", mode="after")
    @classmethod
    def _a_size(cls, text: str) -> str:
        if text.lower() != "off" and not _SIZE.fullmatch(text.strip()):
            raise ValueError(f"'{text}' is no size; use a number of GB or MB, such as 10GB, or off.")
        return text

    @property
    def cache_bytes(self) -> int:
        """The bound of the cache in bytes; 0 when it is off."""
        if self.cache.lower() == "off":
            return 0
        number, unit = _SIZE.fullmatch(self.cache.strip()).groups()  # type: ignore[union-attr]
        return int(float(number) * _UNITS[unit.upper()])

    @field_validator("repository", "home", "sources", mode="after")
    @classmethod
    def _absolute(cls, path: Path, others: ValidationInfo) -> Path:
        """Paths count from the repository: the processes of one command run in different folders."""
        start: Path = others.data.get("repository", Path.cwd())
        return start / path.expanduser()

    @field_validator("store", mode="after")
    @classmethod
    def _absolute_unless_url(cls, location: str, others: ValidationInfo) -> str:
        return location if "://" in location else str(cls._absolute(Path(location), others))

    @field_validator("namespace", mode="after")
    @classmethod
    def _a_namespace(cls, text: str) -> str:
        try:
            return str(Namespace.parse(text))
        except NamespaceError as error:
            raise ValueError(str(error)) from error

    @property
    def writes_to(self) -> Namespace:
        return Namespace.parse(self.namespace)

    @property
    def dagster_home(self) -> Path:
        """Each namespace has its own Dagster instance, so that no run of one shows up in another."""
        return self.home / "dagster" / self.writes_to.slug


def find_repository() -> Path:
    """The nearest folder upwards that has a workspace.yaml; otherwise the one this package was installed from."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "workspace.yaml").is_file() and (folder / "code_locations").is_dir():
            return folder
    return Path(__file__).resolve().parent.parent


@lru_cache(maxsize=1)
def _settings(_environment: tuple[tuple[str, str], ...], _cwd: str) -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]  # later ones often follow from the first
        reason = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"HEADRACE_{str(first['loc'][0]).upper()} cannot be used: {reason}") from error


def current_settings() -> Settings:
    """The settings of this process, read again when a variable or the working folder changed."""
    environment = tuple(sorted(item for item in os.environ.items() if item[0].startswith("HEADRACE_")))
    return _settings(environment, os.getcwd())
