"""A name says which environment and which code, and never means two things."""

import pytest

from platform_core.environments.environment import environment_of
from platform_core.environments.images.contents import code_hash
from platform_core.environments.images.names import image_of, image_settings
from platform_core.errors import FrozenError
from tests.platform_core.environments.support.toys import Repository


def test_it_has_the_hash_of_the_venv_and_that_of_the_code(
    checkout: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_IMAGES", "registry.example.com/team/")
    image_settings.cache_clear()
    environment = environment_of("app", platform=image_settings().image_platform)
    assert image_of("app") == f"registry.example.com/team/app:{environment.hash}-{code_hash('app')}"


def test_another_processor_is_another_image(checkout: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    here = image_of("app")
    monkeypatch.setenv("HEADRACE_IMAGE_PLATFORM", "linux-riscv64")
    image_settings.cache_clear()
    assert image_of("app") != here


def test_an_extra_that_does_not_exist_has_no_image(checkout: Repository) -> None:
    with pytest.raises(FrozenError, match="Location app has no extra 'train'; it has: none"):
        image_of("app", ("train",))
