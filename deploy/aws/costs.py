"""What an installation costs while nobody computes: counted in its templates, by list prices."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.aws.installation import Installation
from platform_core.errors import SettingsError

HOURS = 730  # in a month, as AWS counts
# US dollars, on demand, us-east-1, as told in November 2026; not fetched from AWS, and to be checked there.
_DATABASE = {  # by hour and machine
    "t4g.medium": 0.065, "t4g.large": 0.129, "m7g.large": 0.168, "m7g.xlarge": 0.337, "r7g.large": 0.239,
}  # fmt: skip
_DISK_OF_DATABASE = 0.115  # by gigabyte and month, each zone
_CLUSTER, _WAY_OUT, _ADDRESS = 0.10, 0.045, 0.005  # by hour
_NODE, _NODES = (
    0.0864 * 1.12,
    2,
)  # m6a.large with the share of EKS Auto Mode; what webserver, daemon and code servers need
_SECRET, _KEY, _ALARM, _IMAGE = 0.40, 1.00, 0.10, 0.10  # by month; of images a gigabyte
_SECRETS_OF_LOCATION = 2
_OBSERVED = 20.0  # estimated: Container Insights of two machines and thirty pods, and what they print


@dataclass(frozen=True)
class Cost:
    """So many of something, and what one of them costs in a month."""

    what: str
    count: float
    each: float

    @property
    def month(self) -> float:
        return self.count * self.each


def idle(installation: Installation, templates: Iterable[Path]) -> list[Cost]:
    """What is paid for all the time, without what each location adds. Machines of steps are there only for steps.

    Raises:
        SettingsError: the price of the database's machine is not known here.
    """
    counts = Counter(
        resource["Type"]
        for template in templates
        for resource in json.loads(template.read_text())["Resources"].values()
    )
    ways, database = counts["AWS::EC2::NatGateway"], installation.database
    own = len(installation.locations) * _SECRETS_OF_LOCATION
    secrets = counts["AWS::SecretsManager::Secret"] + counts["AWS::RDS::DBInstance"] - own
    zones = 2 if database.two_zones else 1
    return [
        Cost("EKS, the cluster", counts["AWS::EKS::Cluster"], _CLUSTER * HOURS),
        Cost("machines for webserver, daemon and code servers (m6a.large, Auto Mode)", _NODES, _NODE * HOURS),
        Cost(f"PostgreSQL, db.{database.machine}", zones, _machine(database.machine) * HOURS),
        Cost("its disk, by gigabyte", zones * database.gigabytes, _DISK_OF_DATABASE),
        Cost("the way out (NAT gateway and its address)", ways, (_WAY_OUT + _ADDRESS) * HOURS),
        Cost("logs and metrics of pods, estimated", counts["AWS::EKS::Addon"], _OBSERVED),
        Cost("secrets, that of the database's administrator among them", secrets, _SECRET),
        Cost("keys", counts["AWS::KMS::Key"], _KEY),
        Cost("alarms", counts["AWS::CloudWatch::Alarm"], _ALARM),
        Cost("queues and compute environments of Batch", counts["AWS::Batch::JobQueue"], 0.0),
    ]


def of_location() -> float:
    """What one location adds in a month: its secrets, and a gigabyte of images."""
    return _SECRETS_OF_LOCATION * _SECRET + _IMAGE


def _machine(name: str) -> float:
    if name not in _DATABASE:
        raise SettingsError(f"The price of db.{name} is not known here: add it to deploy/aws/costs.py.")
    return _DATABASE[name]


def table(costs: Sequence[Cost]) -> str:
    """As the table of docs/aws.md."""
    rows = ["| what | number | each | US dollars a month |", "|---|---:|---:|---:|"]
    rows += [f"| {cost.what} | {cost.count:g} | {cost.each:.2f} | {cost.month:.2f} |" for cost in costs]
    rows.append(f"| **together** | | | **{sum(cost.month for cost in costs):.0f}** |")
    rows.append(f"| and for each location, two secrets and a gigabyte of images | | | {of_location():.2f} |")
    return "\n".join(rows) + "\n"
