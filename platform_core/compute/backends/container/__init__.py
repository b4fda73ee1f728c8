"""Steps as containers of a Docker or Podman engine, started and watched through its API."""
