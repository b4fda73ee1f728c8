"""How a Dagster instance differs from the repository's dagster.yaml: by settings alone."""

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from platform_core.errors import SettingsError
from platform_core.namespaces import Namespace
from platform_core.settings import read_settings

URL = "HEADRACE_DAGSTER_URL"  # the variable from which Dagster takes the URL: a file would show the password
PASSWORD = "HEADRACE_DAGSTER_PASSWORD"  # the same where one process has several instances
SCHEMA = "dagster"  # so that the catalog may be in the same database
PORT = 5432
MACHINE_COMES = 900  # seconds in which a cluster finds a machine for a run, and that gets its image
_LAUNCHER = {"module": "platform_core.compute.backends.kubernetes.runs", "class": "KubernetesRunLauncher"}
LOCATION_TAG = "dagster/code_location"  # on every run, set by Dagster itself; a location is one team's


class InstanceSettings(BaseSettings):
    """What an installation sets that outgrew one machine. Empty variables count as not set."""

    model_config = SettingsConfigDict(env_prefix="HEADRACE_", env_ignore_empty=True, frozen=True, extra="ignore")

    dagster: str = Field(
        default="", description="The PostgreSQL database of the Dagster instances of production and of branches."
    )
    daemon_lease: float = Field(
        default=15,
        ge=1,
        description="Seconds without a sign of the daemon that leads, on PostgreSQL, until another one does.",
    )
    max_runs: int | None = Field(default=None, ge=1, description="How many runs go on at once.")
    max_runs_per_location: int | None = Field(default=None, ge=1, description="How many of them for each location.")
    pool_limit: int | None = Field(
        default=None, ge=1, description="Steps at once in a pool without a limit of its own."
    )
    run_retries: int | None = Field(
        default=None, ge=0, description="How often a run is started again that ended for no fault of its code."
    )
    run_start_timeout: int | None = Field(
        default=None,
        ge=1,
        description="Seconds that a run may take to begin: 180; 900 in Kubernetes, where a machine may have to come.",
    )
    keep_ticks: int | None = Field(
        default=None, ge=1, description="Days for which ticks are kept, whatever came of them."
    )
    keep_runs: int | None = Field(
        default=None, ge=1, description="Days for which runs are kept that made nothing of what production shows."
    )
    runs: Literal["local", "kubernetes"] = Field(
        default="local",
        description="Where the daemon starts runs: as processes of its machine, or as Jobs in its cluster.",
    )
    runs_namespace: str = Field(
        default="headrace-{location}", description="The Kubernetes namespace of a location's runs and steps."
    )
    runs_memory: str = Field(default="1Gi", description="How much the process of a run in Kubernetes may take.")
    runs_pod: dict[str, Any] = Field(
        default_factory=dict,
        description="As JSON: what is merged over the container_config and pod_spec_config of runs in Kubernetes.",
    )

    @field_validator("dagster")
    @classmethod
    def _postgres(cls, url: str) -> str:
        if url and not re.match(r"postgres(ql)?(\+\w+)?://", url):
            raise ValueError("it is no URL of PostgreSQL, such as postgresql://user@host/database.")
        return url

    def changes(self, namespace: Namespace) -> dict[str, Any]:
        """What to put over dagster.yaml; nothing where nothing is set."""
        parts: Mapping[str, Any] = {
            "storage": self._storage(namespace),
            "concurrency": {
                name: part
                for name, part in {
                    "runs": _present(max_concurrent_runs=self.max_runs, tag_concurrency_limits=self._limits()),
                    "pools": _present(default_limit=self.pool_limit),
                }.items()
                if part
            },
            "run_retries": _present(max_retries=self.run_retries),
            "run_monitoring": _present(start_timeout_seconds=self._start_timeout),
            "retention": self._retention(),
            "run_launcher": self._launcher(),
        }
        return {name: part for name, part in parts.items() if part}

    @property
    def url(self) -> str:
        """The URL of the schema that Dagster has to itself in the database; none with SQLite."""
        return self._in_schema(SCHEMA) if self.dagster else ""

    def url_of(self, namespace: Namespace) -> str:
        """The same for the instance of a namespace.

        Raises:
            SettingsError: that is in no PostgreSQL.
        """
        schema = schema_of(namespace)
        if not self.dagster or schema is None:
            raise SettingsError(f"The Dagster instance of {namespace} is in no PostgreSQL: set HEADRACE_DAGSTER.")
        return self._in_schema(schema)

    def _in_schema(self, schema: str) -> str:
        from sqlalchemy.engine import make_url  # a tenth of a second that only an installation with a database spends

        there = make_url(self.dagster).update_query_dict({"options": f"-csearch_path={schema}"})
        return there.render_as_string(hide_password=False)

    @property
    def password(self) -> str:
        from sqlalchemy.engine import make_url

        return str(make_url(self.dagster).password or "")

    def _storage(self, namespace: Namespace) -> dict[str, Any] | None:
        if not self.dagster or schema_of(namespace) is None:
            return None
        if namespace.is_production:
            return {"postgres": {"postgres_url": {"env": URL}}}
        return {"postgres": {"postgres_db": self._database(namespace)}}

    def _database(self, namespace: Namespace) -> dict[str, Any]:
        """A schema of the database in parts: of several in one process, no variable could hold the whole URL."""
        from sqlalchemy.engine import make_url

        url = make_url(self.dagster)
        parts = {"username": url.username or "", "hostname": url.host or "", "db_name": url.database or ""}
        params = {**url.query, "options": f"-csearch_path={schema_of(namespace)}"}
        secret = {"password": {"env": PASSWORD}} if url.password else {}
        return {**parts, "port": url.port or PORT, "params": params, **secret}

    @property
    def _start_timeout(self) -> int | None:
        return self.run_start_timeout or (MACHINE_COMES if self.runs == "kubernetes" else None)

    def _launcher(self) -> dict[str, Any] | None:
        if self.runs == "local":
            return None
        pod = {"pod": self.runs_pod} if self.runs_pod else {}
        return {**_LAUNCHER, "config": {"namespaces": self.runs_namespace, "memory": self.runs_memory, **pod}}

    def _limits(self) -> list[dict[str, Any]] | None:
        if self.max_runs_per_location is None:
            return None
        each = {"applyLimitPerUniqueValue": True}
        return [{"key": LOCATION_TAG, "value": each, "limit": self.max_runs_per_location}]

    def _retention(self) -> dict[str, Any] | None:
        if self.keep_ticks is None:
            return None
        days = {"purge_after_days": dict.fromkeys(("skipped", "failure", "success"), self.keep_ticks)}
        return {"sensor": days, "schedule": days}


def schema_of(namespace: Namespace) -> str | None:
    """The schema of an instance where instances are kept in PostgreSQL; None of one that is in files even then.

    No slug has an underscore, so that no two namespaces share one.
    """
    if namespace.is_production:
        return SCHEMA
    return f"{SCHEMA}_{namespace.slug.replace('-', '_')}" if namespace.kind == "branch" else None


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A tree of settings with another one over it; lists are replaced."""
    both = dict(base)
    for name, value in changes.items():
        under = both.get(name)
        both[name] = merged(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return both


def _present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def instance_settings() -> InstanceSettings:
    """The settings of this process.

    Raises:
        SettingsError: some cannot be used.
    """
    return read_settings(InstanceSettings)
