"""What this company's deployments offer steps."""

from collections.abc import Iterator

import pytest

from platform_core import Compute
from platform_core.compute.spec import BACKENDS
from platform_core.errors import DefinitionError, SettingsError
from resources.compute import PROFILES, compute_table


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    compute_table.cache_clear()
    yield
    compute_table.cache_clear()


def test_steps_run_on_this_machine_unless_a_setting_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compute_table().place(Compute(), "a").backend == "local"
    monkeypatch.setenv("HEADRACE_COMPUTE", "kubernetes")
    compute_table.cache_clear()
    assert compute_table().place(Compute(), "a").backend == "kubernetes"


def test_every_backend_can_be_named_and_none_is_made_before_it_is_needed() -> None:
    for name in BACKENDS:
        assert compute_table().place(Compute(backend=name), "a").backend == name


def test_a_backend_that_does_not_exist_is_refused_by_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_COMPUTE", "moon")
    with pytest.raises(SettingsError, match="HEADRACE_COMPUTE cannot be used: 'moon' is no backend"):
        compute_table()


def test_production_takes_the_image_of_the_deployment_by_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_IMAGE", "x:latest")
    assert compute_table().images is None
    compute_table.cache_clear()
    monkeypatch.setenv("HEADRACE_NAMESPACE", "production")
    with pytest.raises(DefinitionError, match=r"^HEADRACE_IMAGE asks for the image x:latest, which may be another one"):
        compute_table()
    monkeypatch.setenv("HEADRACE_IMAGE", "x@sha256:0123")
    assert compute_table().images is None


def test_batch_says_what_it_needs() -> None:
    with pytest.raises(SettingsError, match="HEADRACE_BATCH_FOLDER"):
        compute_table().backends["batch"]()


def test_each_profile_says_what_it_is_for_and_what_it_gives() -> None:
    assert all(profile.description for profile in PROFILES.values())
    with pytest.raises(DefinitionError, match="gpu"):
        compute_table().place(Compute(profile="gpu", gpu=9), "a")


def test_on_batch_profiles_have_queues_and_all_steps_have_secrets_by_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_BATCH_GPU_QUEUE", "with-gpu")
    monkeypatch.setenv("HEADRACE_BATCH_SPOT_QUEUE", "cheap")
    monkeypatch.setenv("HEADRACE_BATCH_SECRETS", '{"HEADRACE_CATALOG": "arn:aws:secretsmanager:x"}')
    gpu = compute_table().place(Compute(profile="gpu", gpu=1), "a").profile
    assert (gpu.options, gpu.secrets) == ({}, {})  # no other backend knows these words
    compute_table.cache_clear()
    monkeypatch.setenv("HEADRACE_COMPUTE", "batch")
    placed = {name: compute_table().place(Compute(profile=name), "a").profile for name in ("large", "spot", "gpu")}
    assert [one.options.get("queue") for one in placed.values()] == [None, "cheap", "with-gpu"]
    assert compute_table().place(Compute(), "a").profile.secrets == {"HEADRACE_CATALOG": "arn:aws:secretsmanager:x"}
    assert all(one.secrets for one in placed.values())


def test_what_steps_on_batch_print_goes_where_a_setting_says(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, object]] = []
    monkeypatch.setattr(
        "platform_core.compute.backends.batch.backend.BatchBackend", lambda *_, options, **__: made.append(options)
    )
    monkeypatch.setenv("HEADRACE_BATCH_FOLDER", "s3://bucket/folder")
    compute_table().backends["batch"]()
    compute_table.cache_clear()
    monkeypatch.setenv("HEADRACE_BATCH_LOG_GROUP", "/ours")
    compute_table().backends["batch"]()
    assert [options.get("log_group") for options in made] == [None, "/ours"]
