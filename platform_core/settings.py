"""The settings a process runs with: `HEADRACE_*` variables over defaults that need no service."""

import getpass
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from platform_core.errors import NamespaceError, SettingsError
from platform_core.namespaces import Namespace

S = TypeVar("S", bound=BaseSettings)

Compression = Literal["lz4", "zstd", "snappy"]

_UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(MB|GB|TB)", re.IGNORECASE)
# The URL of an SQLite file, but neither of one in memory nor of one with an absolute path.
_RELATIVE_SQLITE = re.compile(r"(sqlite(?:\+\w+)?:///(?:file:)?)(?!/|:memory:|file:)([^?]+)(.*)")


def login() -> str:
    """Who runs this process. In a container the user may have no name: then `uid-` and the number."""
    try:
        return getpass.getuser()  # LOGNAME and USER first
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


class Settings(BaseSettings):
    """Where this process reads and writes. Empty variables count as not set."""

    model_config = SettingsConfigDict(env_prefix="HEADRACE_", env_ignore_empty=True, frozen=True, extra="ignore")

    repository: Path = Field(default_factory=lambda: find_repository(), description="The folder with workspace.yaml.")
    home: Path = Field(
        default_factory=lambda data: data["repository"] / ".headrace",
        description="All local state: store, catalog, Dagster homes, caches, environments.",
    )
    namespace: str = Field(
        default_factory=lambda: str(Namespace.of_user(login())),
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
    # lz4 reads two to three times as fast as zstd level 1 and writes a fifth faster, for a quarter more bytes (ADR 7).
    compression: Compression = Field(
        default="lz4", description="How tables are compressed: lz4, or zstd or snappy, which more engines read."
    )
    sources: Path = Field(
        default_factory=lambda data: data["home"] / "sources",
        description="The folder into which other systems deliver their files.",
    )

    cache: str = Field(
        default="10GB", description="How much decoded tables may take below the home, such as 10GB, or off."
    )

    logs: Literal["text", "json"] = Field(
        default="text", description="json: a line of JSON for each message of each process, with run and asset."
    )
    ui: str = Field(
        default="http://127.0.0.1:3000",
        description="Where the UI is reached, for links to it where none runs on this machine.",
    )
    load_timeout: float = Field(
        default=120,
        gt=0,
        description="Seconds that a location may take to load before the UI goes on without it; commands wait longer.",
    )
    ui_idle: float = Field(
        default=600, description="Seconds after which the UI of a branch that nobody looks at ends its processes."
    )
    open_tables: str = Field(
        default="", description="The Iceberg catalog that shows production's tables to other engines; empty: none."
    )
    open_tables_folder: str = Field(
        default="", description="Where Iceberg's own files go; empty: below production's folder of the store."
    )

    production_branch: str = Field(
        default="main", description="The git branch whose code production runs; others are compared with it."
    )
    promotion_key: Path = Field(
        default_factory=lambda data: data["home"] / "keys" / "promotion.pem",
        description="The Ed25519 private key of those who may promote; made at first use.",
    )
    promotion_verifier: Path = Field(
        default_factory=lambda data: data["home"] / "keys" / "promotion.pub",
        description="Its public key, which is asked whether a promotion was let.",
    )
    promotion_secret: SecretStr = Field(
        default=SecretStr(""), description="The private key itself, where it comes from a store of secrets, as PEM."
    )
    promoters: str = Field(
        default="", description="Who may promote, as people are told who are refused; by default the owner of the key."
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

    @field_validator("repository", "home", "sources", "promotion_key", "promotion_verifier", mode="after")
    @classmethod
    def _absolute(cls, path: Path, others: ValidationInfo) -> Path:
        """Paths count from the repository: the processes of one command run in different folders."""
        start: Path = others.data.get("repository", Path.cwd())
        return start / path.expanduser()

    @field_validator("store", mode="after")
    @classmethod
    def _absolute_unless_url(cls, location: str, others: ValidationInfo) -> str:
        return location if "://" in location else str(cls._absolute(Path(location), others))

    @field_validator("catalog", mode="after")
    @classmethod
    def _absolute_if_a_file(cls, url: str, others: ValidationInfo) -> str:
        relative = _RELATIVE_SQLITE.fullmatch(url)
        return url if relative is None else f"{relative[1]}{cls._absolute(Path(relative[2]), others)}{relative[3]}"

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


def read_settings(kind: type[S], whole: str = "") -> S:
    """Some of the settings of this process, as its variables have them.

    Args:
        whole: the setting to name when each is right and all together are not.

    Raises:
        SettingsError: one cannot be used.
    """
    try:
        return kind()
    except ValidationError as error:
        first = error.errors()[0]  # later ones often follow from the first
        name = str(first["loc"][0] if first["loc"] else whole).upper()
        reason = first["msg"].removeprefix("Value error, ").removesuffix(".")
        # Without the cause, which holds the value: it may be a password, and pages of errors show causes.
        raise SettingsError(f"HEADRACE_{name} cannot be used: {reason}.") from None


@lru_cache(maxsize=1)
def _settings(_environment: tuple[tuple[str, str], ...], _cwd: str) -> Settings:
    return read_settings(Settings)


def current_settings() -> Settings:
    """The settings of this process, read again when a variable or the working folder changed."""
    environment = tuple(sorted(item for item in os.environ.items() if item[0].startswith("HEADRACE_")))
    return _settings(environment, os.getcwd())


@contextmanager
def as_if_in(variables: dict[str, str]) -> Iterator[None]:
    """Lets this process, and what it starts, have other settings for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
