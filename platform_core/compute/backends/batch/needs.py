"""What a step needs, in the units that Batch sells."""

import math
from dataclasses import dataclass

from platform_core.compute.backends.batch.options import Options, Refused
from platform_core.compute.quantities import as_bytes, size_text
from platform_core.compute.spec import Compute

MIB = 1024 * 1024
GIB = 1024
_LEAST_MEMORY = 4  # MiB
_FARGATE_DISK = (21, 200)  # GiB that can be asked for; 20 are given without asking

# The sizes that Fargate has: for each number of processors the MiB that go with it.
_FARGATE: dict[float, tuple[int, ...]] = {
    0.25: (512, 1024, 2048),
    0.5: tuple(range(1 * GIB, 4 * GIB + 1, GIB)),
    1: tuple(range(2 * GIB, 8 * GIB + 1, GIB)),
    2: tuple(range(4 * GIB, 16 * GIB + 1, GIB)),
    4: tuple(range(8 * GIB, 30 * GIB + 1, GIB)),
    8: tuple(range(16 * GIB, 60 * GIB + 1, 4 * GIB)),
    16: tuple(range(32 * GIB, 120 * GIB + 1, 8 * GIB)),
}


@dataclass(frozen=True)
class Need:
    """Processors, MiB and GPUs that Batch can really reserve: what was asked for, rounded up."""

    cpu: float
    memory: int
    gpu: int = 0

    @property
    def requirements(self) -> list[dict[str, str]]:
        """The same as `resourceRequirements`."""
        given = {"VCPU": f"{self.cpu:g}", "MEMORY": str(self.memory)} | ({"GPU": str(self.gpu)} if self.gpu else {})
        return [{"type": kind, "value": value} for kind, value in given.items()]

    def __str__(self) -> str:
        """For people: `4 cpu, 16 GiB, 1 gpu`."""
        gpu = f", {self.gpu} gpu" if self.gpu else ""
        return f"{self.cpu:g} cpu, {size_text(self.memory * MIB)}{gpu}"


def need_of(compute: Compute, options: Options) -> Need:
    """What to reserve for a step.

    Raises:
        Refused: no machine of that platform is like that.
    """
    memory = max(_LEAST_MEMORY, math.ceil((compute.memory_bytes or as_bytes(options.default_memory)) / MIB))
    if options.is_fargate:
        return _fargate_size(Need(compute.cpu, memory, compute.gpu))
    return Need(math.ceil(compute.cpu), memory, compute.gpu)


def disk_of(compute: Compute, options: Options) -> int | None:
    """GiB of scratch space to ask Fargate for; on EC2 the machine's disk is what it is.

    Raises:
        Refused: more than Fargate has.
    """
    if compute.disk_bytes is None or not options.is_fargate:
        return None
    least, most = _FARGATE_DISK
    size = math.ceil(compute.disk_bytes / MIB / GIB)
    if size > most:
        raise Refused(f"Fargate gives at most {most} GiB of disk, not {size}: lower Compute(disk=...).")
    return None if size < least else size


def _fargate_size(need: Need) -> Need:
    if need.gpu:
        raise Refused("Fargate has no GPUs: use a profile whose queue is on EC2, or leave out Compute(gpu=...).")
    for cpu, sizes in _FARGATE.items():
        memory = next((size for size in sizes if size >= need.memory), None)
        if cpu >= need.cpu and memory is not None:
            return Need(cpu, memory)
    raise Refused(
        f"Fargate has no machine with {need}, only up to 16 cpu and 120 GiB:"
        " lower Compute(cpu=..., memory=...) or use a profile whose queue is on EC2."
    )
