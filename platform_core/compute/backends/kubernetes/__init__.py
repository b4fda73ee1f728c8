"""Steps as Kubernetes Jobs, one per attempt, watched and never polled.

On the `kubernetes` client alone: what dagster-k8s has for running a Job waits for it in the calling thread, asks every
ten seconds, and turns each answer into objects, which 200 steps at once cannot afford. Its models check our manifests
in the tests.
"""
