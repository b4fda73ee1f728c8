"""What a step may ask for, and what it may leave to its profile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.compute.profiles import Limits, Profile
from platform_core.compute.spec import Compute
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


@pytest.mark.parametrize("name", ["cpu", "gpu", "retries", "memmory"])
def test_a_default_that_no_step_leaves_open_is_refused(name: str) -> None:
    with pytest.raises(DefinitionError, match=f"A profile cannot give a default for {name}; it can for memory, disk"):
        Profile(defaults={name: 1})
