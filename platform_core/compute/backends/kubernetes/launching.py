"""Creates the Job of an attempt, or takes charge of the one that an earlier run worker created."""

import os
from collections.abc import Mapping
from functools import partial
from typing import Any

from platform_core.compute.attempts import Ending
from platform_core.compute.backends.kubernetes.api import Api, ApiError
from platform_core.compute.backends.kubernetes.events import refused_by_cluster
from platform_core.compute.backends.kubernetes.explain import Look, is_leaving
from platform_core.compute.backends.kubernetes.ledger import Ledger
from platform_core.compute.backends.kubernetes.manifest import (
    Defaults,
    attempt_selector,
    is_ours,
    job_manifest,
    secret_manifest,
)
from platform_core.compute.backends.kubernetes.options import KubernetesOptions
from platform_core.compute.backends.kubernetes.records import Record
from platform_core.errors import DefinitionError

Thing = dict[str, Any]


class Launcher:
    """Creates Jobs. It waits for the API, so it belongs into threads."""

    def __init__(self, api: Api, ledger: Ledger, defaults: Defaults) -> None:
        self._api = api
        self._ledger = ledger
        self._defaults = defaults

    def launch(self, record: Record) -> None:
        """Creates the Job; what comes of it is in the record."""
        try:
            options = KubernetesOptions.of(record.order.profile.options)
            values = own_values(record.order.secrets, os.environ)
            job = self._create(record, job_manifest(record.order, self._defaults, options))
            if values and job is not None:
                self._hand_over(record, values, job)
        except DefinitionError as error:
            refuse(self._ledger, record, str(error))
        except ApiError as error:
            self._failed(record, error)
        except Exception as error:  # in a thread, where nobody else would hear of it and the step would wait for ever
            refuse(self._ledger, record, f"Its Job cannot be made of what its profile says: {error!r}.")
            raise

    def _create(self, record: Record, manifest: Thing) -> Thing | None:
        """The Job, or None when there is one of its name that nothing can be done with."""
        try:
            job = self._api.create_job(record.namespace, manifest)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            return self._adopt(record)
        self._created(record)
        return job

    def _adopt(self, record: Record) -> Thing | None:
        """Takes charge of the Job that exists already, whatever state it is in."""
        job = self._api.job(record.namespace, record.id)
        if not is_ours(job, record.order.attempt):
            refuse(self._ledger, record, f"A Job named {record.id} is in its way, which is not this platform's.")
            return None
        self._created(record)
        for pod in self._api.pods(record.namespace, attempt_selector([record.id]))[0]:
            self._ledger.see(pod)
        if is_leaving(job):
            ending = Ending("vanished", "Its Job was being deleted when this run worker took it over.")
            self._ledger.update(record, partial(record.leave, ending))
        return job

    def _created(self, record: Record) -> None:
        self._ledger.update(record, record.exists)

    def _hand_over(self, record: Record, values: Mapping[str, str], job: Thing) -> None:
        """Its pod waits for this secret. It is the Job's own, so that it goes together with it."""
        try:
            self._api.create_secret(record.namespace, secret_manifest(record.order, values, job))
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise

    def _failed(self, record: Record, error: ApiError) -> None:
        if "exceeded quota" in str(error):
            look = refused_by_cluster(str(error))
        elif error.is_final:
            return refuse(self._ledger, record, refusal(error, record.namespace))
        else:
            look = unanswered(error)
        self._ledger.update(record, partial(record.postpone, look))
        return None


def own_values(secrets: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The secrets that the run worker hands on from its own variables.

    Raises:
        DefinitionError: it does not have one of them.
    """
    wanted = [name for name, place in secrets.items() if not place]
    if missing := [name for name in wanted if name not in environment]:
        raise DefinitionError(
            f"The step gets {missing[0]} from its run worker, which does not have this variable itself."
        )
    return {name: environment[name] for name in wanted}


def refuse(ledger: Ledger, record: Record, sentence: str) -> None:
    """Ends an attempt that cannot start. What may exist of it goes."""
    ending = Ending("refused", sentence)
    ledger.update(record, partial(record.stop, ending))


def refusal(error: ApiError, namespace: str) -> str:
    """Why the API does not do what a step needs, and who can mend it."""
    if error.status in (401, 403):
        return (
            f"Kubernetes does not let this run worker do what a step needs in the namespace '{namespace}': {error}."
            " The platform team can grant it: docs/compute-kubernetes.md lists the rights."
        )
    return f"Kubernetes does not take the Job of the step: {error}."


def unanswered(error: ApiError) -> Look:
    return Look(f"The Kubernetes API does not answer ({error}); it is asked again.")
