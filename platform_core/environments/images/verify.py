"""Whether an image is what its name and labels promise: looked at from outside, and started once to look inside."""

import json
from collections.abc import Collection, Iterator
from typing import Any

from platform_core.environments.images import names
from platform_core.environments.images.digests import content_of, digest_of, notes
from platform_core.environments.images.engine import Engine
from platform_core.errors import FrozenError, listed

_INSIDE = ("python", "-m", "platform_core.environments.images.inside")


def problems_of(engine: Engine, image: str) -> list[str]:
    """Sentences about what does not hold of an image; none when it can be trusted with steps.

    Raises:
        FrozenError: the engine has no such image.
    """
    known = engine.inspect([image])
    if not known:
        raise FrozenError(f"The container engine has no image {image}; make it with: headrace image build")
    labels = known[0]["Config"].get("Labels") or {}
    if names.ENVIRONMENT not in labels:
        return [f"{image} has no labels of the platform: it is not one that `headrace image build` made."]
    replaced = list(_replaced(engine, image, known[0].get("RepoDigests") or []))
    try:
        return [*replaced, *_differences(image, labels, _look_inside(engine, image))]
    except FrozenError as error:
        return [*replaced, str(error)]


def _replaced(engine: Engine, image: str, registry: Collection[str]) -> Iterator[str]:
    """Whether something else has the name by now than what was built under it, which production goes on with."""
    built = digest_of(image)
    if built is None or built.registry in registry:
        return
    if (here := content_of(engine, image)) != built.content:
        yield (
            f"{image} is not what was built: {notes()} says {built.registry or built.content}, and the engine has"
            f" {here}; remove it here and build or fetch it again."
        )


def _look_inside(engine: Engine, image: str) -> dict[str, Any]:
    """Starts the image without network or anything to write to, as a step would be."""
    said = engine.run(
        *("run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"),
        *("--env", "HEADRACE_HOME=/tmp/headrace", image, *_INSIDE),
        doing=f"{image} has no platform inside that starts",
    )
    return dict(json.loads(said.strip().rpartition("\n")[2]))


def _differences(image: str, labels: dict[str, str], inside: dict[str, Any]) -> Iterator[str]:
    marker = inside["marker"]
    if marker is None:
        yield f"{image} does not say inside what environment it is."
        return
    if marker["environment"] != labels[names.ENVIRONMENT]:
        yield (f"{image} is labelled as the environment {labels[names.ENVIRONMENT]} and holds {marker['environment']}.")
    if inside["code"] != labels.get(names.CODE):
        yield f"{image} is labelled with the code {labels.get(names.CODE)} and holds {inside['code'] or 'none'}."
    if changed := sorted(set(inside["installed"].items()) ^ set(marker["packages"].items())):
        yield f"{image} had its packages changed after they were installed: {listed(name for name, _ in changed)}."
    if inside["user"] == 0:
        yield f"{image} runs as root."
    if inside["tools"]:
        yield f"{image} holds what builds: {listed(inside['tools'])}; take a base without it."
    if inside["loading"]:
        yield f"{image}: the definitions of {marker['location']} do not load: {inside['loading']}"
