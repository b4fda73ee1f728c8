"""Deployments in Kubernetes: what kustomize is given, and what is done with it."""
