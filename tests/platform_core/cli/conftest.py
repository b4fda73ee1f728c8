"""Locations of toys, for commands about environments."""

from tests.platform_core.environments.support.fixtures import index, repository, uv_cache

__all__ = ["index", "repository", "uv_cache"]
