"""Whether the cluster is there, and lets Jobs be made."""

from typing import TYPE_CHECKING

from platform_core.compute.backends.kubernetes.api import Cluster
from platform_core.errors import HeadraceError

if TYPE_CHECKING:
    from kubernetes import client

VERBS = ("create", "get", "delete")


def reach(namespace: str) -> str:
    """What answers, as a sentence.

    Raises:
        HeadraceError: the cluster does not, or refuses what running steps takes.
    """
    from kubernetes import client

    connected = Cluster().connect()
    reviews = client.AuthorizationV1Api(connected)
    refused = [verb for verb in VERBS if not _may(reviews, namespace, verb)]
    if refused:
        raise HeadraceError(
            f"The cluster lets nobody with these rights {', '.join(refused)} Jobs in {namespace}: give its service"
            " account a Role for jobs, pods, pods/log, events and secrets."
        )
    return f"The cluster at {connected.configuration.host} lets Jobs be made in {namespace}."


def _may(reviews: "client.AuthorizationV1Api", namespace: str, verb: str) -> bool:
    from kubernetes import client

    asked = client.V1ResourceAttributes(namespace=namespace, verb=verb, group="batch", resource="jobs")
    review = client.V1SelfSubjectAccessReview(spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=asked))
    return bool(reviews.create_self_subject_access_review(review).status.allowed)
