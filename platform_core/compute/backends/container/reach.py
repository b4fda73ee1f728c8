"""Whether the container engine is there."""

from platform_core.errors import HeadraceError

PATIENCE = 10  # seconds


def reach() -> str:
    """What answers, as a sentence.

    Raises:
        HeadraceError: nothing does.
    """
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=PATIENCE)
        version = client.version()
        client.close()
    except (DockerException, OSError) as error:
        raise HeadraceError(
            f"No container engine answers ({error}): start one, or say where it is with DOCKER_HOST."
        ) from error
    return f"The container engine {version.get('Version', '')} answers."
