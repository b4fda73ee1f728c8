"""Production's folder in `deploy/kubernetes`: written from the list of locations and from what was built for them."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from platform_core.cluster.kustomizations import CORE, SERVER, SERVER_EXTRAS, ClusterDeployment, production_texts
from platform_core.environments.images.contents import code_hash
from platform_core.environments.images.digests import digest_of, noted
from platform_core.environments.images.names import image_of
from platform_core.errors import FrozenError, NotFoundError
from platform_core.locations import all_locations, find_location, owners
from platform_core.namespaces import PRODUCTION, slug

FOLDER = Path("deploy", "kubernetes", "overlays", "production")  # in the repository
NOTES = Path("settings", "images.json")


def write_production(repository: Path, locations: Iterable[str] = ()) -> dict[str, str]:
    """Writes the folder; by location, and `server`, the images of what was given, which are those of the code as it is.

    Args:
        locations: those to roll out; the others keep their images. All where none is named.

    Raises:
        FrozenError: one was not built, or not pushed.
    """
    names = [find_location(name).name for name in locations] or [location.name for location in all_locations()]
    rolled = {name: _pushed(name) for name in names}
    if SERVER in names:
        rolled["server"] = _pushed(SERVER, SERVER_EXTRAS)
    folder = repository / FOLDER
    for path, text in texts_with(pinned(folder) | rolled).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    _deliver_notes(folder / NOTES, names)
    return rolled


def texts_with(images: Mapping[str, str]) -> dict[str, str]:
    """What the folder holds, for the locations that there are."""
    teams, names = owners(), [location.name for location in all_locations()]
    if missing := [name for name in (*names, "server") if name not in images]:
        raise NotFoundError(
            f"{FOLDER} has no image of {missing[0]} yet: build and push it, and roll it out with it:"
            f" headrace deploy kubernetes {SERVER if missing[0] == 'server' else missing[0]}"
        )
    return production_texts(ClusterDeployment(PRODUCTION, {name: teams.get(name, "") for name in names}, images))


def pinned(folder: Path) -> dict[str, str]:
    """By location, and `server`, the images that the folder has now."""
    parts = {"server": CORE} | {location.name: slug(location.name) for location in all_locations()}
    paths = {name: folder / part / "kustomization.yaml" for name, part in parts.items()}
    return {name: _image_in(path) for name, path in paths.items() if path.is_file()}


def _image_in(path: Path) -> str:
    (image,) = yaml.safe_load(path.read_text())["images"]
    return f"{image['newName']}@{image['digest']}"


def _pushed(location: str, extras: tuple[str, ...] = ()) -> str:
    image = image_of(location, extras)
    known = digest_of(image)
    if known is None or not known.registry:
        more = "".join(f" --extra {extra}" for extra in extras)
        raise FrozenError(
            f"{image} was not pushed, so that no cluster can have it: headrace image build {location}{more} --push"
        )
    return known.registry


def _deliver_notes(path: Path, locations: Iterable[str]) -> None:
    """Which builds the steps of some locations run in, all their environments; what is noted of others stays."""
    before: dict[str, object] = json.loads(path.read_text()) if path.is_file() else {}
    for location in locations:
        mine, code = f"/{location}:", f"-{code_hash(location)}"
        before = {name: said for name, said in before.items() if mine not in f"/{name}"}
        before |= {name: said for name, said in noted().items() if mine in f"/{name}" and name.endswith(code)}
    path.write_text(json.dumps(before, indent=1, sort_keys=True) + "\n")
