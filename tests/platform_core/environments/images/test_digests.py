"""Production runs what was built, whatever a name stands for by now; a registry that refuses is a sentence."""

import subprocess
import sys
from http import HTTPStatus
from pathlib import Path

import pytest

from platform_core.environments.images import names
from platform_core.environments.images.build import Built, build_image, push
from platform_core.environments.images.digests import Digest, content_of, digest_of, image_to_run, note, notes
from platform_core.environments.images.engine import Engine
from platform_core.environments.images.names import image_of, planned_image
from platform_core.environments.images.verify import problems_of
from platform_core.errors import FrozenError
from tests.platform_core.environments.images.conftest import BASE
from tests.platform_core.environments.support.registry import Registry, a_registry
from tests.platform_core.environments.support.toys import Repository

CONTENT = f"sha256:{'0' * 64}"
REFUSALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@pytest.fixture
def in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_NAMESPACE", "production")


def test_elsewhere_than_in_production_the_name_will_do(checkout: Repository) -> None:
    assert image_to_run("app", ()) == planned_image("app", ())


def test_production_names_what_was_built(checkout: Repository, in_production: None) -> None:
    image, plan = planned_image("app", ())
    note(image, Digest(CONTENT))
    assert image_to_run("app", ()) == (CONTENT, plan)
    note(image, Digest(CONTENT, f"registry/app@{CONTENT}"))
    assert image_to_run("app", ()) == (f"registry/app@{CONTENT}", plan)


def test_what_nobody_built_is_refused_with_what_to_do(checkout: Repository, in_production: None) -> None:
    with pytest.raises(FrozenError) as error:
        image_to_run("app", ())
    assert str(error.value) == (
        f"Production runs images by the digest of their build, and {notes()} has none of {image_of('app')}: build it"
        " with headrace image build app, or name the file of whoever built it in HEADRACE_IMAGE_DIGESTS."
    )


def test_the_notes_of_whoever_built_can_be_named(
    checkout: Repository, in_production: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(image_of("app"), Digest(CONTENT))
    notes().rename(tmp_path / "from_ci.json")
    monkeypatch.setenv("HEADRACE_IMAGE_DIGESTS", str(tmp_path / "from_ci.json"))
    names.image_settings.cache_clear()
    assert image_to_run("app", ())[0] == CONTENT


def test_notes_that_cannot_be_read_are_a_sentence(checkout: Repository, in_production: None) -> None:
    note("a", Digest(CONTENT))
    notes().write_text("{")
    with pytest.raises(FrozenError, match=r"images\.json, in which builds of images are noted, cannot be read: "):
        image_to_run("app", ())


def test_builds_side_by_side_lose_no_note(checkout: Repository) -> None:
    code = (
        "import sys; from platform_core.environments.images.digests import *\n"
        "for number in range(20): note(f'{sys.argv[1]}:{number}', Digest('sha256:0'))"
    )
    started = [subprocess.Popen([sys.executable, "-c", code, name]) for name in "abc"]
    assert [process.wait() for process in started] == [0, 0, 0]
    assert all(digest_of(f"{name}:{number}") for name in "abc" for number in range(20))


def built(engine: Engine) -> Built:
    return build_image(engine, "app", network="host")


def put_in_the_place_of(engine: Engine, image: str) -> None:
    """Lets the name stand for another image that claims to be the same."""
    labels = engine.inspect([image])[0]["Config"]["Labels"]
    options = [part for name, value in labels.items() for part in ("--change", f'LABEL {name}="{value}"')]
    container = engine.run("create", image, "true", doing="it cannot be made").strip()
    engine.run("commit", *options, container, image, doing="it cannot be replaced")
    engine.run("rm", container, doing="it cannot be removed")


def test_what_runs_in_production_is_what_was_built_and_verify_tells_when_a_name_was_moved(
    engine: Engine, checkout: Repository, in_production: None
) -> None:
    image = built(engine).image
    content = content_of(engine, image)
    assert digest_of(image) == Digest(content)
    assert problems_of(engine, image) == []
    put_in_the_place_of(engine, image)
    here = content_of(engine, image)
    assert here != content
    assert problems_of(engine, image) == [
        f"{image} is not what was built: {notes()} says {content}, and the engine has {here}; remove it here and build"
        " or fetch it again."
    ]
    assert image_to_run("app", ())[0] == content
    said = engine.run("run", "--rm", "--network", "none", content, "python", "-c", "print(1)", doing="it does not run")
    assert said == "1\n"
    for name in (image, content):  # the one stands on the other
        engine.run("image", "rm", "--force", name, doing="it cannot be removed")


def in_registry(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_IMAGES", f"{registry.address}/test")
    names.image_settings.cache_clear()


def test_what_was_pushed_is_run_by_the_digest_of_the_registry(
    engine: Engine, checkout: Repository, in_production: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_registry() as registry:
        in_registry(registry, monkeypatch)
        image = built(engine)
        digest = push(engine, image)
        repository, _, name = digest.partition("@")
        assert (repository, name in registry.manifests) == (f"{registry.address}/test/app", True)
        assert image_to_run("app", ())[0] == digest
        engine.run("image", "rm", "--force", image.image, doing="it cannot be removed")
        engine.run("pull", "--quiet", digest, doing="it cannot be fetched")
        engine.run("tag", digest, image.image, doing="it cannot be named")
        assert problems_of(engine, image.image) == []
        engine.run("image", "rm", "--force", image.image, digest, doing="it cannot be removed")


@pytest.mark.parametrize("status", REFUSALS)  # of a server in trouble, docker asks again for a minute
def test_a_registry_that_refuses_is_one_sentence(
    status: HTTPStatus, engine: Engine, checkout: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_registry(refuses=status) as registry:
        in_registry(registry, monkeypatch)
        image = image_of("app")
        engine.run("tag", BASE, image, doing="it cannot be named")
        with pytest.raises(FrozenError, match=rf"^The registry does not take {image}; log in to it, or[^\n]*\.$"):
            push(engine, Built("app", image, "abc"))
        assert registry.asked, "nobody asked it"
        engine.run("image", "rm", image, doing="it cannot be removed")
    assert digest_of(image) is None


@pytest.mark.parametrize("status", [*REFUSALS, HTTPStatus.INTERNAL_SERVER_ERROR])
def test_a_base_that_a_registry_refuses_is_one_sentence(
    status: HTTPStatus, engine: Engine, checkout: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_registry(refuses=status) as registry:
        base = f"{registry.address}/test/base:1"
        monkeypatch.setenv("HEADRACE_IMAGE_BASE", base)
        names.image_settings.cache_clear()
        with pytest.raises(FrozenError, match=rf"^The base image {base} cannot be fetched; name another[^\n]*\.$"):
            built(engine)
        assert registry.asked, "nobody asked it"
