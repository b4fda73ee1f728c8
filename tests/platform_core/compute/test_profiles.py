"""What a deployment offers, what it refuses, and where a step is placed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.compute.profiles import ComputeTable, Limits, Profile, a_backend
from platform_core.compute.spec import BACKENDS, Compute
from platform_core.errors import DefinitionError

SIZES = st.one_of(st.none(), st.integers(1, 1 << 40), st.sampled_from(["1GiB", "1GB", "1024MiB", "64GiB"]))
LIMITS = st.builds(
    Limits,
    cpu=st.one_of(st.none(), st.integers(1, 64)),
    memory=SIZES,
    gpu=st.one_of(st.none(), st.integers(0, 8)),
    disk=SIZES,
    timeout=st.sampled_from([None, 60, "1min", "2h", "1d"]),
)
ASKED = st.builds(
    Compute,
    cpu=st.integers(1, 80),
    memory=SIZES,
    gpu=st.integers(0, 9),
    disk=SIZES,
    timeout=st.sampled_from([None, 30, "90s", "3h"]),
)

TABLE = ComputeTable(
    default="batch",
    profiles={
        "default": Profile(limits=Limits(cpu=16, memory="64GiB")),
        "gpu": Profile(backend="kubernetes", defaults={"memory": "32GiB", "image": "cuda@sha256:1"}),
        "any": Profile(limits=Limits(timeout="1h")),
    },
    backends={"batch": lambda: 1 / 0, "kubernetes": lambda: 1 / 0},  # type: ignore[dict-item,return-value]
)


@given(LIMITS, LIMITS, ASKED)
def test_two_limits_together_refuse_what_either_refuses(one: Limits, other: Limits, compute: Compute) -> None:
    together = one.and_those_of(other)
    assert bool(together.broken_by(compute)) == bool(one.broken_by(compute) or other.broken_by(compute))


@given(LIMITS, LIMITS, LIMITS, ASKED)
def test_limits_are_joined_in_any_order(one: Limits, two: Limits, three: Limits, compute: Compute) -> None:
    assert one.and_those_of(two).broken_by(compute) == two.and_those_of(one).broken_by(compute)
    left, right = one.and_those_of(two).and_those_of(three), one.and_those_of(two.and_those_of(three))
    assert left.broken_by(compute) == right.broken_by(compute)
    assert one.and_those_of(one) == one == one.and_those_of(Limits())


def test_each_need_beyond_a_limit_is_named_with_the_limit() -> None:
    limits = Limits(cpu=16, memory="64GiB", gpu=1, disk="1TiB", timeout="1h")
    compute = Compute(cpu=64, memory="128GiB", gpu=2, disk="2TiB", timeout="2h")
    assert limits.broken_by(compute) == [
        "64 cpu of at most 16",
        "128 GiB of memory of at most 64 GiB",
        "2 gpu of at most 1",
        "2 TiB of disk of at most 1 TiB",
        "2 h of at most 1 h",
    ]
    assert limits.broken_by(Compute(cpu=16, memory="64GiB", gpu=1)) == []


def test_what_a_step_leaves_open_breaks_no_limit() -> None:
    assert Limits(memory="1GiB", disk="1GiB", timeout=1).broken_by(Compute()) == []


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


@pytest.mark.parametrize("name", ["cpu", "gpu", "retries", "memmory"])
def test_a_default_that_no_step_leaves_open_is_refused(name: str) -> None:
    with pytest.raises(DefinitionError, match=f"A profile cannot give a default for {name}; it can for memory, disk"):
        Profile(defaults={name: 1})


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
