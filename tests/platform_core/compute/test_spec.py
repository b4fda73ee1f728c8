"""What a step may say that it needs, and that it travels unchanged."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.compute.spec import BACKENDS, COMPUTE_TAG, Compute, compute_of
from platform_core.errors import DefinitionError

SIZES = st.one_of(
    st.none(),
    st.integers(1, 1 << 45),
    st.builds("{}{}".format, st.integers(1, 999), st.sampled_from(["MiB", "G", "GB"])),
)
NAMES = st.text(min_size=1, max_size=8)
COMPUTES = st.builds(
    Compute,
    cpu=st.floats(0.01, 1000),
    memory=SIZES,
    gpu=st.integers(0, 16),
    disk=SIZES,
    timeout=st.sampled_from([None, 0.5, 90, "2h"]),
    retries=st.integers(0, 9),
    retry_delay=st.sampled_from(["5s", 1, "1min"]),
    infrastructure_retries=st.integers(0, 9),
    on_failure=st.sampled_from(["fail", "skip"]),
    extras=st.lists(NAMES, max_size=3).map(tuple),
    backend=st.sampled_from([None, *BACKENDS]),
    profile=st.one_of(st.none(), NAMES),
)


@given(COMPUTES)
def test_a_compute_arrives_as_it_was_said(compute: Compute) -> None:
    assert Compute.from_text(compute.to_text()) == compute
    assert compute_of({COMPUTE_TAG: compute.to_text()}) == compute


def test_a_tag_says_only_what_differs_from_the_default() -> None:
    assert Compute().to_text() == "{}"
    assert Compute(cpu=2).to_text() == '{"cpu": 2}'


def test_a_step_without_a_tag_gets_the_default() -> None:
    assert compute_of({"other": "tag"}) == Compute()


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"cpu": 0}, r"Compute\(cpu=0\): it must be a number above zero\."),
        ({"cpu": "4"}, r"cpu='4'\): it must be a number above zero"),
        ({"cpu": True}, "it must be a number above zero"),
        ({"cpu": float("nan")}, "it must be a number above zero"),
        ({"cpu": float("inf")}, "it must be a number above zero"),
        ({"memory": "lots"}, r"memory='lots'\): 'lots' is not a size such as 4GiB or 500MB"),
        ({"memory": 0}, "is not a size"),
        ({"memory": True}, "is not a size"),
        ({"disk": "-1GiB"}, "is not a size"),
        ({"gpu": 0.5}, r"gpu=0.5\): it must be a whole number"),
        ({"gpu": -1}, "it must be a whole number"),
        ({"timeout": "soon"}, "is not a duration such as 90s, 30min or 2h"),
        ({"retries": -1}, "it must be a whole number"),
        ({"retries": True}, "it must be a whole number"),
        ({"retry_delay": 0}, "is not a duration"),
        ({"infrastructure_retries": "3"}, "it must be a whole number"),
        ({"on_failure": "ignore"}, "it must be one of fail, skip"),
        ({"extras": "train"}, "it must be a tuple of names"),
        ({"extras": ("",)}, "it must be a tuple of names"),
        ({"image": ""}, "it must be a name"),
        ({"image": 5}, "it must be a name"),
        ({"profile": ""}, "it must be a name"),
        ({"backend": "slurm"}, "it must be one of None, local, container, kubernetes, batch"),
        ({"image": "a@sha256:1", "extras": ("train",)}, "drop one of the two"),
    ],
)
def test_what_cannot_be_is_refused_where_it_is_written(said: Mapping[str, Any], sentence: str) -> None:
    with pytest.raises(DefinitionError, match=sentence):
        Compute(**said)


def test_sizes_and_durations_are_read() -> None:
    compute = Compute(memory="2GiB", disk="1TB", timeout="2h", retry_delay="1min")
    assert (compute.memory_bytes, compute.disk_bytes) == (2 << 30, 10**12)
    assert (compute.timeout_seconds, compute.retry_delay_seconds) == (7200, 60)
    assert (Compute().memory_bytes, Compute().disk_bytes, Compute().timeout_seconds) == (None, None, None)


def test_people_read_what_was_asked_for() -> None:
    assert str(Compute()) == "1 cpu"
    whole = Compute(cpu=0.5, memory="8GiB", gpu=1, disk="100GiB", timeout="2h")
    assert str(whole) == "0.5 cpu, 8 GiB, 1 gpu, 100 GiB of disk, at most 2 h"


@given(st.integers(1, 1 << 45), st.one_of(st.none(), st.integers(1, 1 << 45)))
def test_more_memory_is_more_and_never_beyond_the_most(memory: int, most: int | None) -> None:
    more = Compute(cpu=3, memory=memory).with_twice_the_memory(most)
    if more is None:
        assert most is not None
        assert most <= memory
    else:
        assert memory < (more.memory_bytes or 0) <= min(2 * memory, most or 2 * memory)
        assert more.cpu == 3


def test_a_compute_without_memory_has_none_to_double() -> None:
    assert Compute().with_twice_the_memory(1 << 40) is None
