"""What is an installation's own: read from a file, and all names that follow from it."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from platform_core.errors import HeadraceError, SettingsError
from platform_core.locations import all_locations, owners
from platform_core.namespaces import Namespace

HERE = Path(__file__).parent
FILE = HERE / "installation.toml"
BRANCHES, CORE = "branches", "core"
Kind = Literal["on-demand", "spot", "gpu"]
KINDS: tuple[Kind, ...] = ("on-demand", "spot", "gpu")
_PREFIX = "headrace"
_ACCOUNT = re.compile(r"\d{12}")


@dataclass(frozen=True)
class Database:
    """The PostgreSQL of catalog and Dagster: a class of machine without its `db.`, and sizes in gigabytes."""

    machine: str = "t4g.medium"
    gigabytes: int = 50
    most_gigabytes: int = 500
    two_zones: bool = True
    backup_days: int = 14


@dataclass(frozen=True)
class Queue:
    """Families of machines, and the most processors of all that run at once."""

    machines: tuple[str, ...]
    most_cpus: int


@dataclass(frozen=True)
class Kubernetes:
    """The version of EKS, and the ARNs of who may apply manifests."""

    version: str = "1.34"
    administrators: tuple[str, ...] = ()


@dataclass(frozen=True)
class Installation:
    """One installation in one account and region.

    Args:
        locations: by name of a location its owner.
        network: the addresses of the network, a /16 to a /20.
        people: by name of a personal namespace, the ARNs of who may take on its role.
        pipelines: the same of `branches` and `promotion`.

    Raises:
        SettingsError: one of these cannot be.
    """

    account: str
    region: str
    locations: Mapping[str, str]
    queues: Mapping[Kind, Queue]
    network: str = "10.40.0.0/16"
    ui: str = ""
    alarms_to: str = ""
    monthly_budget_usd: float = 1000
    logs_days: int = 90
    database: Database = Database()
    kubernetes: Kubernetes = Kubernetes()
    people: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pipelines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _ACCOUNT.fullmatch(self.account):
            raise SettingsError(f"account = '{self.account}' is no account of AWS: it has twelve digits, as text.")
        if missing := [kind for kind in KINDS if kind not in self.queues]:
            raise SettingsError(f"The queue {missing[0]} is not described: add a table [queues.{missing[0]}].")
        for person in self.people:
            Namespace("user", person)

    def name(self, *parts: str) -> str:
        """What something of the installation is called, such as `headrace-production-flights-steps`."""
        return "-".join([_PREFIX, "production", *parts])

    @property
    def bucket(self) -> str:
        return self.name(self.account, self.region)

    @property
    def store(self) -> str:
        return f"s3://{self.bucket}/store"

    def folder(self, team: str) -> str:
        """Where the run workers of a location, or of branches, put what Batch has no room for."""
        return f"s3://{self.bucket}/compute/{team}"

    @property
    def registry(self) -> str:
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com"

    @property
    def images(self) -> str:
        """What all images of locations are called before the slash and their location."""
        return f"{_PREFIX}-production"

    @property
    def log_group(self) -> str:
        return f"/headrace/{self.name()}/steps"

    def role(self, team: str, what: Literal["runs", "steps", "start"]) -> str:
        """The ARN of a role that a location, or branches, has."""
        return f"arn:aws:iam::{self.account}:role/{self.name(team, what)}"

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    @property
    def teams(self) -> tuple[str, ...]:
        """Who has roles, a folder and an address of the database of its own: each location, and branches."""
        return (*self.locations, BRANCHES)


def read_installation(file: Path = FILE) -> Installation:
    """The installation that a file describes, with the locations of this repository.

    Raises:
        SettingsError: the file is not there, or describes none.
    """
    try:
        given: dict[str, Any] = tomllib.loads(file.read_text())
        teams = owners()
        return Installation(
            locations={location.name: teams.get(location.name, "") for location in all_locations()},
            queues={kind: _queue(queue) for kind, queue in given.pop("queues").items()},
            database=Database(**given.pop("database", {})),
            kubernetes=_kubernetes(given.pop("kubernetes", {})),
            people=_several(given.pop("people", {})),
            pipelines=_several(given.pop("pipelines", {})),
            **given,
        )
    except HeadraceError as error:
        raise SettingsError(f"{file} cannot be used: {error}") from error
    except (OSError, tomllib.TOMLDecodeError, TypeError, KeyError, ValueError) as error:
        raise SettingsError(f"{file} cannot be used: {type(error).__name__}: {error}") from error


def _queue(given: Mapping[str, Any]) -> Queue:
    return Queue(tuple(given["machines"]), int(given["most_cpus"]))


def _kubernetes(given: Mapping[str, Any]) -> Kubernetes:
    return Kubernetes(**{**given, "administrators": tuple(given.get("administrators", ()))})


def _several(given: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(arns) for name, arns in given.items()}
