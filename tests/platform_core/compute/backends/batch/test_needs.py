"""Needs in the sizes that Batch has."""

import pytest

from platform_core.compute.backends.batch.needs import Need, disk_of, need_of
from platform_core.compute.backends.batch.options import Options, Refused
from platform_core.compute.spec import Compute

EC2, FARGATE = Options(), Options(platform="FARGATE")


@pytest.mark.parametrize(
    ("compute", "options", "need"),
    [
        (Compute(), EC2, Need(1, 2048)),
        (Compute(cpu=0.5, memory="1GB"), EC2, Need(1, 954)),
        (Compute(cpu=2.5, memory=1, gpu=2), EC2, Need(3, 4, 2)),
        (Compute(), Options(default_memory="8GiB"), Need(1, 8192)),
        (Compute(cpu=0.1, memory="100MiB"), FARGATE, Need(0.25, 512)),
        (Compute(cpu=1, memory="9GiB"), FARGATE, Need(2, 9216)),
        (Compute(cpu=3, memory="1GiB"), FARGATE, Need(4, 8192)),
        (Compute(cpu=8, memory="17GiB"), FARGATE, Need(8, 20480)),
    ],
)
def test_needs_are_rounded_up(compute: Compute, options: Options, need: Need) -> None:
    assert need_of(compute, options) == need


@pytest.mark.parametrize(
    ("compute", "said"),
    [
        (Compute(cpu=32), "no machine with 32 cpu, 2 GiB, only up to 16 cpu and 120 GiB"),
        (Compute(memory="121GiB"), "no machine with 1 cpu, 121 GiB"),
        (Compute(gpu=1), "no GPUs"),
    ],
)
def test_what_fargate_has_not_is_refused(compute: Compute, said: str) -> None:
    with pytest.raises(Refused, match=said):
        need_of(compute, FARGATE)


def test_disk_is_fargates_to_give() -> None:
    assert disk_of(Compute(disk="100GiB"), EC2) is None
    assert disk_of(Compute(disk="10GiB"), FARGATE) is None
    assert disk_of(Compute(disk="100GiB"), FARGATE) == 100
    with pytest.raises(Refused, match="at most 200 GiB of disk, not 201"):
        disk_of(Compute(disk="201GiB"), FARGATE)


def test_needs_read_as_people_write_them() -> None:
    assert str(Need(0.25, 512)) == "0.25 cpu, 512 MiB"
    assert str(Need(8, 32768, 2)) == "8 cpu, 32 GiB, 2 gpu"
