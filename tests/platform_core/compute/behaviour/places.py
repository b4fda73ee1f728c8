"""The places where steps run in the behaviour suite, and what each of them needs to be told.

A place is entered once for all tests, and skips with its reason where this machine lacks what it needs.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from platform_core.compute.spec import BackendName
from tests.platform_core.compute.backends.batch.double import Double
from tests.platform_core.compute.backends.batch.world import S3, make_queue, numbered_children
from tests.platform_core.compute.support.cluster import HOST, a_kubernetes_namespace, on_this_machine
from tests.platform_core.compute.support.images import IMAGE, VARIABLES, VOLUMES, need_engine

Said = Mapping[str, Any]
SECRET = "BEHAVIOUR_SECRET"
GRACE = {"HEADRACE_STEP_GRACE": "1"}


@dataclass(frozen=True)
class Place:
    """Where steps run.

    Args:
        backend: keywords of the backend's constructor; none for the local one.
        profile: keywords of the profile of its steps.
        variables: what a run worker needs in its environment to reach it.
        address: this machine, as steps see it; where it is said, they reach the databases by it, else by files.
        partitions: how many side by side are a fair try.
        lacks: what cannot be seen there, with the reason.
        left: what still exists of a run there.
    """

    name: BackendName
    backend: Said = field(default_factory=dict)
    profile: Said = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    partitions: int = 4
    lacks: Mapping[str, str] = field(default_factory=dict)
    left: Callable[[str], list[str]] = lambda run: []
    keep_secrets: Callable[[Mapping[str, str]], Mapping[str, str]] = lambda values: dict.fromkeys(values, "")


@contextmanager
def this_machine(_home: Path) -> Iterator[Place]:
    yield Place("local", partitions=100, profile={"variables": {}})


@contextmanager
def containers(home: Path) -> Iterator[Place]:
    import docker

    engine = docker.APIClient(base_url=need_engine(), version="auto", timeout=60)

    def left(run: str) -> list[str]:
        return [each["Names"][0] for each in engine.containers(all=True, filters={"label": f"run={run}"})]

    backend = {"image": IMAGE, "mounts": [f"{home}:{home}", *VOLUMES], "grace": 1, "options": {"network": "host"}}
    yield Place("container", backend, {"variables": VARIABLES}, left=left)
    engine.close()


@contextmanager
def kubernetes(home: Path) -> Iterator[Place]:
    with a_kubernetes_namespace() as space:
        space.need_this_machine()

        def left(run: str) -> list[str]:
            return [pod.metadata.name for pod in space.pods() if (pod.metadata.labels or {}).get("headrace/run") == run]

        def keep(values: Mapping[str, str]) -> Mapping[str, str]:
            body = {"metadata": {"name": "behaviour"}, "stringData": dict(values)}
            space.core.create_namespaced_secret(space.name, body)
            return {name: f"behaviour/{name}" for name in values}

        backend = {"image": IMAGE, "namespace": space.name, "grace": "6s"}
        profile = {"options": on_this_machine(home), "variables": VARIABLES}
        variables = {"KUBECONFIG": os.environ["KUBECONFIG"]}
        yield Place("kubernetes", backend, profile, variables, HOST, left=left, keep_secrets=keep)


@contextmanager
def batch(_home: Path) -> Iterator[Place]:
    """The strict double of AWS Batch; its jobs are processes of this machine."""
    with S3() as s3:
        double = Double(environment=s3.variables, run=True, python=sys.executable)

        def left(run: str) -> list[str]:
            jobs = [child for job in double.jobs.values() for child in double.arrays.get(job.id, [job])]
            return [job.id for job in jobs if job.process and job.process.poll() is None]

        def keep(values: Mapping[str, str]) -> Mapping[str, str]:
            arns = {name: f"arn:aws:secretsmanager:us-east-1:1:secret:{name}" for name in values}
            double.secrets = {arns[name]: value for name, value in values.items()}
            return arns

        addresses = {"AWS_ENDPOINT_URL_BATCH": double.url, "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": double.url}
        profile = {"variables": {**VARIABLES, **GRACE}}
        yield Place(
            *("batch", _batch(s3, "queue"), profile, {**s3.variables, **addresses}, "127.0.0.1"),
            left=left,
            keep_secrets=keep,
        )
        double.close()


@contextmanager
def batch_in_containers(home: Path) -> Iterator[Place]:
    """moto's Batch, whose jobs are containers."""
    need_engine()
    with S3() as s3, numbered_children(), _variables(MOTO_DOCKER_NETWORK_MODE="host"):
        variables = {**s3.variables, "AWS_ENDPOINT_URL": s3.url}
        with _variables(**variables):  # and no longer: the tests of other folders have servers of their own
            make_queue("behaviour")
        said = _batch(s3, "behaviour", volumes=[f"{home}:{home}", *VOLUMES])
        profile = {"variables": {**VARIABLES, **GRACE, **variables}}
        yield Place("batch", said, profile, variables, lacks=_LACKS_OF_MOTO, keep_secrets=lambda _: {})


_LACKS_OF_MOTO = {
    "memory": "moto's server holds no job to its memory",
    "exit codes": "moto's server does not tell exit codes",
    "secrets": "moto's server hands no secrets to containers",
}


def _batch(s3: S3, queue: str, **options: Any) -> Said:
    quick = {"poll_seconds": 0.2, "settle_seconds": 1.0, "image": IMAGE}
    options = {"queue": queue, "execution_role_arn": "arn:aws:iam::1:role/execution", **options}
    return {"folder": f"s3://{s3.new_bucket()}/compute", "options": options, **quick}


@contextmanager
def _variables(**values: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, value)
        yield


PLACES: Mapping[str, Any] = {
    "local": this_machine,
    "container": containers,
    "kubernetes": kubernetes,
    "batch": batch,
    "batch in containers": batch_in_containers,
}
