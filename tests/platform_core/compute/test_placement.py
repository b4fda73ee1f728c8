"""What a deployment offers, what it refuses, and where a step is placed."""

import pytest

from platform_core.compute.placement import ComputeTable, a_backend
from platform_core.compute.profiles import Limits, Profile
from platform_core.compute.spec import BACKENDS, Compute
from platform_core.errors import DefinitionError

TABLE = ComputeTable(
    default="batch",
    profiles={
        "default": Profile(limits=Limits(cpu=16, memory="64GiB")),
        "gpu": Profile(backend="kubernetes", defaults={"memory": "32GiB", "image": "cuda@sha256:1"}),
        "any": Profile(limits=Limits(timeout="1h")),
    },
    backends={"batch": lambda: 1 / 0, "kubernetes": lambda: 1 / 0},  # type: ignore[dict-item,return-value]
)


@pytest.mark.parametrize(
    ("compute", "backend", "reason"),
    [
        (Compute(), "batch", "the deployment's default"),
        (Compute(backend="local"), "local", "the asset says so"),
        (Compute(profile="gpu"), "kubernetes", "the profile 'gpu' says so"),
        (Compute(profile="gpu", backend="kubernetes"), "kubernetes", "the asset says so"),
        (Compute(profile="any"), "batch", "the deployment's default"),
    ],
)
def test_the_asset_decides_before_the_profile_before_the_deployment(
    compute: Compute, backend: str, reason: str
) -> None:
    """The factories of backends raise: placing must not make them."""
    placement = TABLE.place(compute, "t/trained")
    assert (placement.backend, placement.reason) == (backend, reason)


def test_a_profile_fills_in_what_is_left_open_and_nothing_else() -> None:
    filled = TABLE.place(Compute(profile="gpu", cpu=3), "t/trained").compute
    assert filled == Compute(profile="gpu", cpu=3, memory="32GiB", image="cuda@sha256:1")
    assert TABLE.place(Compute(profile="gpu", memory="1GiB"), "t/trained").compute.memory == "1GiB"


def test_extras_and_the_image_of_a_profile_do_not_get_in_each_others_way() -> None:
    filled = TABLE.place(Compute(profile="gpu", extras=("train",)), "t/trained").compute
    assert (filled.image, filled.extras) == (None, ("train",))


@pytest.mark.parametrize(
    ("compute", "sentence"),
    [
        (
            Compute(profile="gpus"),
            r"t/trained asks for the profile 'gpus', which does not exist; there are: gpu, any\. Did",
        ),
        (Compute(cpu=64), r"t/trained asks for more than this deployment gives: 64 cpu of at most 16\."),
        (Compute(profile="any", timeout="2h"), "more than the profile 'any' gives: 2 h of at most 1 h"),
        (Compute(profile="gpu", backend="batch"), "steps of that profile run on kubernetes; leave the backend out"),
        (
            Compute(backend="container"),
            r"wants to run on the backend container \(the asset says so\), .*: local, batch",
        ),
    ],
)
def test_what_cannot_be_placed_is_refused_with_what_can(compute: Compute, sentence: str) -> None:
    with pytest.raises(DefinitionError, match=sentence):
        TABLE.place(compute, "t/trained")


def test_a_backend_beside_the_default_profile_is_refused_by_its_own_name() -> None:
    table = ComputeTable(profiles={"default": Profile(backend="kubernetes")}, backends=TABLE.backends)
    with pytest.raises(DefinitionError, match=r"Compute\(backend='batch'\): steps without a profile run on kubernetes"):
        table.place(Compute(backend="batch"), "t/trained")


def test_a_table_without_anything_places_locally() -> None:
    placement = ComputeTable().place(Compute(), "t/trained")
    assert (placement.backend, placement.profile) == ("local", Profile())


@pytest.mark.parametrize("name", BACKENDS)
def test_each_backend_is_known_by_its_name(name: str) -> None:
    assert a_backend(name) == name


def test_a_name_of_no_backend_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="'slurm' is no backend; there are: local, container, kubernetes, batch"):
        a_backend("slurm")
