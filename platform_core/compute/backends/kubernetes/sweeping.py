"""Jobs that outlived whoever looked after them, by the label that says when their time is over."""

from collections.abc import Iterable
from typing import Any

from platform_core.compute.attempts import is_over
from platform_core.compute.backends.backend import Leftover
from platform_core.compute.backends.kubernetes.api import Api, ApiError
from platform_core.compute.backends.kubernetes.explain import job_ending
from platform_core.compute.backends.kubernetes.manifest import (
    ATTEMPT_LABEL,
    ATTEMPTS_IN_A_CALL,
    EXPIRES_LABEL,
    all_selector,
    attempt_selector,
)
from platform_core.errors import HeadraceError


def sweep(api: Api, namespaces: Iterable[str], now: float, *, dry_run: bool) -> list[Leftover]:
    """Deletes Jobs whose time is over and that have ended, with their pods and secrets.

    Raises:
        HeadraceError: the API does not let this process look, or delete.
    """
    found: list[Leftover] = []
    for namespace in namespaces:
        try:
            found += _sweep(api, namespace, now, dry_run=dry_run)
        except ApiError as error:
            raise HeadraceError(
                f"Kubernetes does not let old Jobs be removed from the namespace '{namespace}': {error}."
                " docs/compute-kubernetes.md lists the rights."
            ) from error
    return found


def _sweep(api: Api, namespace: str, now: float, *, dry_run: bool) -> list[Leftover]:
    over = [job for job in api.jobs(namespace, all_selector()) if is_over(_label(job, EXPIRES_LABEL), now)]
    ended = [_label(job, ATTEMPT_LABEL) for job in over if job_ending(job)]
    for start in range(0, 0 if dry_run else len(ended), ATTEMPTS_IN_A_CALL):
        api.delete_jobs(namespace, attempt_selector(ended[start : start + ATTEMPTS_IN_A_CALL]))
    return [Leftover(f"{namespace}/{job['metadata']['name']}", not job_ending(job)) for job in over]


def _label(job: dict[str, Any], name: str) -> str:
    return str(job["metadata"]["labels"][name])
