"""Real images from a real engine: frozen, small to rebuild, without root, tools or secrets."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from platform_core.environments.environment import environment_of
from platform_core.environments.images import build as building
from platform_core.environments.images import contents, names
from platform_core.environments.images.build import Built, build_image, push
from platform_core.environments.images.contents import code_hash
from platform_core.environments.images.engine import Engine
from platform_core.environments.images.found import all_images, removable, remove
from platform_core.environments.images.names import image_of
from platform_core.environments.images.verify import problems_of
from platform_core.environments.marker import read_marker
from platform_core.environments.venvs import ready_venv
from platform_core.errors import FrozenError
from tests.platform_core.environments.images.conftest import BASE, NEEDED
from tests.platform_core.environments.support.toys import Repository


def built(engine: Engine, *extras: str) -> Built:
    return build_image(engine, "app", extras, network="host")


def said_in(engine: Engine, image: str, *command: str) -> str:
    return engine.run("run", "--rm", "--network", "none", image, *command, doing="it does not run").strip()


def labels(engine: Engine, image: str) -> dict[str, str]:
    return dict(engine.inspect([image])[0]["Config"]["Labels"])


def layers(engine: Engine, image: str) -> list[str]:
    return list(engine.inspect([image])[0]["RootFS"]["Layers"])


def test_an_image_is_its_venv_elsewhere(engine: Engine, checkout: Repository) -> None:
    image = built(engine)
    assert image.image == image_of("app")
    assert image.seconds is not None
    inside = json.loads(said_in(engine, image.image, "cat", "/opt/headrace/.venv/headrace-environment.json"))
    here = read_marker(ready_venv(environment_of("app")).parent.parent)
    assert here is not None
    assert (inside["environment"], inside["packages"]) == (here.environment, here.packages)
    assert said_in(engine, image.image, "sh", "-c", "id -u; id -g") == "1000\n1000"
    assert problems_of(engine, image.image) == []
    bill = json.loads(said_in(engine, image.image, "cat", "/opt/headrace/sbom.cdx.json"))
    assert {"pydantic-settings", "pyyaml"} <= {item["name"] for item in bill["components"]}


def test_what_is_there_is_not_built_again(engine: Engine, checkout: Repository) -> None:
    first = built(engine)
    assert built(engine) == Built("app", first.image, first.environment, None)


def test_labels_say_where_it_came_from(engine: Engine, checkout: Repository) -> None:
    image = built(engine).image
    found = labels(engine, image)
    environment = environment_of("app")
    assert found[names.ENVIRONMENT] == environment.hash
    assert found[names.LOCK] == environment.lock
    assert found[names.CODE] == code_hash("app")
    assert (found[names.NAMESPACE], found[names.OWNER], found[names.BASE]) == ("user/tess", "team:toys", BASE)
    assert int(found[names.EXPIRES]) > 0


def test_an_edit_of_code_makes_one_small_layer(engine: Engine, checkout: Repository) -> None:
    first = built(engine).image
    (checkout.folder_of("app") / "definitions.py").write_text("import yaml  # edited\n")
    second = built(engine).image
    assert second != first
    assert second.rpartition("-")[0] == first.rpartition("-")[0]
    assert layers(engine, first)[:-1] == layers(engine, second)[:-1]
    assert layers(engine, first)[-1] != layers(engine, second)[-1]
    assert "edited" in said_in(engine, second, "cat", "code_locations/app/definitions.py")


def test_neither_tools_nor_secrets_are_left_in_it(
    engine: Engine, checkout: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UV_EXTRA_INDEX_URL", "https://tess:hunter2@index.example.invalid/simple")
    image = built(engine).image
    assert "hunter2" not in engine.run("history", "--no-trunc", image, doing="no history")
    assert "hunter2" not in json.dumps(engine.inspect([image]))
    engine.run("save", "--output", str(tmp_path / "image.tar"), image, doing="it cannot be saved")
    content = (tmp_path / "image.tar").read_bytes()
    assert b"hunter2" not in content
    assert said_in(engine, image, "python", "-c", "import shutil; print(shutil.which('uv'))") == "None"


def test_a_lock_without_hashes_is_refused_before_anything_is_built(checkout: Repository, engine: Engine) -> None:
    path = checkout.folder_of("app") / "uv.lock"
    path.write_text(re.sub(r', hash = "sha256:[0-9a-f]+"', "", path.read_text()))
    with pytest.raises(FrozenError, match="files without a hash"):
        built(engine)


def test_a_package_that_cannot_be_had_fails_with_uvs_reason(engine: Engine, checkout: Repository) -> None:
    path = checkout.folder_of("app") / "uv.lock"
    address = r"https://files.pythonhosted.org/[^\"]*/(pyyaml[^\"]*)"
    path.write_text(re.sub(address, r"http://127.0.0.1:1/\1", path.read_text()))
    with pytest.raises(FrozenError, match=r"cannot be built: .*Failed to fetch: http://127.0.0.1:1/pyyaml") as error:
        built(engine)
    assert "\n" not in str(error.value)


def test_code_that_is_edited_meanwhile_is_not_taken_for_what_it_was(
    engine: Engine, checkout: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = contents.copy_code

    def and_edit(*arguments: object) -> None:
        (checkout.folder_of("app") / "definitions.py").write_text("import yaml  # edited\n")
        copy(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(building, "copy_code", and_edit)
    with pytest.raises(FrozenError, match="The code of app was edited while its image was put together"):
        built(engine)


def test_a_registry_that_refuses_is_a_sentence(
    engine: Engine, checkout: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_IMAGES", "127.0.0.1:1/test")
    names.image_settings.cache_clear()
    image = built(engine)
    try:
        with pytest.raises(
            FrozenError, match=r"The registry does not take 127\.0\.0\.1:1/test/app:.*; log in to it, or"
        ):
            push(engine, image)
    finally:
        engine.run("image", "rm", image.image, doing="it cannot be removed")


def test_only_what_expired_and_nobody_asks_for_or_uses_may_go(
    engine: Engine, checkout: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "EXPIRY", -10)
    first = built(engine).image
    now = datetime.now(UTC)

    def going(*current: str) -> list[str]:
        mine = [image for image in all_images(engine, current) if image.name.startswith(names.image_settings().images)]
        return [image.name for image in removable(mine, now)]

    assert going(first) == []
    assert going() == [first]
    container = engine.run("create", first, "true", doing="it cannot be made").strip()
    assert going() == []
    engine.run("rm", container, doing="it cannot be removed")
    (image,) = [image for image in all_images(engine, ()) if image.name == first]
    remove(engine, image)
    assert not engine.has(first)


def derived(engine: Engine, tmp_path: Path, name: str, *lines: str) -> str:
    """An image made of others by a Dockerfile."""
    folder = tmp_path / "derived"
    folder.mkdir()
    (folder / "Dockerfile").write_text("\n".join(lines) + "\n")
    image = f"{names.image_settings().images}/{name}"
    engine.run("build", "--quiet", "--network=host", "--tag", image, str(folder), doing="it cannot be built")
    return image


def test_an_image_without_the_platform_inside_is_found_out(
    engine: Engine, checkout: Repository, tmp_path: Path
) -> None:
    image = derived(engine, tmp_path, "bare", f"FROM {BASE}", f"LABEL {names.ENVIRONMENT}=abc")
    (problem,) = problems_of(engine, image)
    assert problem.startswith(f"{image} has no platform inside that starts: ")
    assert "platform_core" in problem.partition(": ")[2]


def test_an_image_of_somebody_else_is_found_out(engine: Engine, checkout: Repository) -> None:
    assert problems_of(engine, BASE) == [
        f"{BASE} has no labels of the platform: it is not one that `headrace image build` made."
    ]


def test_what_was_changed_after_the_build_is_found_out(engine: Engine, checkout: Repository, tmp_path: Path) -> None:
    image = built(engine).image
    changed = derived(
        engine,
        tmp_path,
        "changed",
        f"FROM {image}",
        "USER 0",
        "RUN rm -r /opt/headrace/.venv/lib/python3*/site-packages/pyyaml-*.dist-info",
        "RUN echo 'raise RuntimeError(1)' > /opt/headrace/code_locations/app/definitions.py",
        "RUN rm -r /opt/headrace/code_locations/app/__pycache__",
        f"LABEL {names.CODE}=abc {names.ENVIRONMENT}=def",
    )
    told = " ".join(problems_of(engine, changed))
    for part in (
        "is labelled as the environment def and holds",
        "is labelled with the code abc and holds",
        "had its packages changed after they were installed: pyyaml",
        "runs as root",
        "the definitions of app do not load: RuntimeError: 1",
    ):
        assert part in told


APT = """#!/bin/sh
case "$*" in *nowhere*) echo "E: Unable to locate package nowhere"; exit 100;; esac
echo "$@" >> /asked_of_apt
"""


@pytest.fixture
def debian(engine: Engine, checkout: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images stand on one whose apt-get notes what it is asked for."""
    base, folder = f"{names.image_settings().images}/debian", tmp_path / "debian"
    folder.mkdir()
    (folder / "apt-get").write_text(APT)
    (folder / "apt-get").chmod(0o755)
    (folder / "Dockerfile").write_text(f"FROM {BASE}\nCOPY apt-get /bin/apt-get\n")
    engine.run("build", "--quiet", "--tag", base, str(folder), doing="it cannot be built")
    monkeypatch.setenv("HEADRACE_IMAGE_BASE", base)
    names.image_settings.cache_clear()


def needing(checkout: Repository, *packages: str) -> None:
    checkout.add("app", *NEEDED, headrace=f"system-packages = {list(packages)}")


def test_system_packages_are_installed_and_listed(engine: Engine, checkout: Repository, debian: None) -> None:
    needing(checkout, "libgomp1", "libpq5=15.6-0")
    image = built(engine).image
    assert said_in(engine, image, "cat", "/asked_of_apt").splitlines() == [
        "update -qq",
        "install -y -qq --no-install-recommends libgomp1 libpq5=15.6-0",
    ]
    bill = json.loads(said_in(engine, image, "cat", "/opt/headrace/sbom.cdx.json"))
    assert {"libgomp1", "libpq5"} <= {item["name"] for item in bill["components"]}


def test_a_system_package_that_does_not_exist_is_a_sentence(engine: Engine, checkout: Repository, debian: None) -> None:
    needing(checkout, "nowhere")
    with pytest.raises(FrozenError, match=r"cannot be built: Unable to locate package nowhere\.$"):
        built(engine)


def test_an_image_that_is_not_there_says_how_to_make_it(engine: Engine, checkout: Repository) -> None:
    with pytest.raises(FrozenError, match="has no image localhost/none:x; make it with: headrace image build"):
        problems_of(engine, "localhost/none:x")


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("Step 3/9 : RUN uv sync", "3/9 RUN uv sync"),
        ("STEP 3/9: RUN uv sync", "3/9 RUN uv sync"),
        ("[2/4] STEP 3/9: RUN uv sync", "3/9 RUN uv sync"),
        ("#2 [internal] load .dockerignore", ""),
        ("#7 [dependencies 2/3] RUN uv sync", "RUN uv sync"),
        (" ---> Running in 0123", ""),
        ("Using Python", ""),
    ],
)
def test_progress_is_what_the_builder_is_at(line: str, step: str) -> None:
    assert building._step(line) == step


def test_a_failed_download_is_told_in_uvs_words_whatever_builds() -> None:
    printed = ["#9 0.412 error: Failed to fetch x", "#9 0.412   cause: refused", "#9 ERROR: process did not complete"]
    assert building._reason(printed) == "Failed to fetch x. refused."
    assert building._reason(["Step 1", "The command '/bin/sh -c x' returned a non-zero code: 1"]).endswith("code: 1.")
