"""The kernel's own limit on the memory of a step, where this user may set one: control groups, version 1 and 2."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from platform_core.compute.processes import PROC

ROOT = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class MemoryGroup:
    """A control group for one step.

    It counts what the watcher does not, such as the cache of the files that a step writes; the kernel takes that back
    before it ends anything.
    """

    folder: Path

    @classmethod
    def make(cls, name: str, memory: int, root: Path = ROOT) -> "MemoryGroup | None":
        """A group that holds its processes to some bytes; None where this user may not make one."""
        for parent, limit in _parents(root):
            group = cls(parent / name)
            with suppress(OSError):
                group.folder.mkdir(exist_ok=True)
                (group.folder / limit).write_text(str(memory))
                return group
            group.remove()
        return None

    def join(self, pid: int) -> None:
        """Puts a process into the group, and with it whatever it starts."""
        (self.folder / "cgroup.procs").write_text(str(pid))

    @property
    def has_killed(self) -> bool:
        """Whether the kernel ended a process of the group for its memory."""
        for name in ("memory.events", "memory.oom_control"):  # version 2, version 1
            with suppress(OSError):
                lines = (self.folder / name).read_text().splitlines()
                return any(line.split()[0] == "oom_kill" and int(line.split()[1]) > 0 for line in lines)
        return False

    def remove(self) -> None:
        """Removes the group; all of its processes must be gone."""
        with suppress(OSError):  # it was never made, or a process of it is still dying: nothing but a name is left
            self.folder.rmdir()


def _parents(root: Path) -> Iterator[tuple[Path, str]]:
    """Where groups for steps could be made, with the name of the file that takes the limit."""
    for line in (PROC / "self" / "cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "memory":
            yield root / "memory" / path.lstrip("/"), "memory.limit_in_bytes"
        elif not controllers:
            yield from ((folder, "memory.max") for folder in _delegated(root, path))


def _delegated(root: Path, path: str) -> Iterator[Path]:
    """The groups above this process whose children may have limits. Its own may not: version 2 wants it empty."""
    own = root / path.lstrip("/")
    for folder in own.parents:
        if folder != root and root not in folder.parents:
            return
        with suppress(OSError):
            if "memory" in (folder / "cgroup.subtree_control").read_text().split():
                yield folder
