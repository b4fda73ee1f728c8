"""Control groups as both versions of them are laid out, and a real one where this user may make it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_core.compute.backends.local import cgroups
from platform_core.compute.backends.local.cgroups import MemoryGroup

MIB = 1 << 20


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a machine's groups; `/proc` is beside it."""
    monkeypatch.setattr(cgroups, "PROC", tmp_path / "proc")
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "cgroup").mkdir()
    return tmp_path / "cgroup"


def this_process_is_in(root: Path, *lines: str) -> None:
    (root.parent / "proc" / "self" / "cgroup").write_text("".join(f"{line}\n" for line in lines))


def delegated(root: Path, path: str, controllers: str) -> Path:
    folder = root / path
    folder.mkdir(parents=True)
    (folder / "cgroup.subtree_control").write_text(controllers)
    return folder


def test_version_1_has_a_tree_for_memory_alone(root: Path) -> None:
    this_process_is_in(root, "5:cpu:/x", "4:memory:/docker/abc", "0::/")
    own = root / "memory" / "docker" / "abc"
    own.mkdir(parents=True)
    group = MemoryGroup.make("step", 64 * MIB, root)
    assert group == MemoryGroup(own / "step")
    assert (own / "step" / "memory.limit_in_bytes").read_text() == str(64 * MIB)


def test_version_2_has_groups_beside_this_process_where_memory_was_delegated(root: Path) -> None:
    this_process_is_in(root, "0::/user.slice/user-1000/app/run")
    above = delegated(root, "user.slice/user-1000", "cpu memory pids")
    delegated(root, "user.slice/user-1000/app", "cpu pids")
    delegated(root, "user.slice/user-1000/app/run", "cpu memory")  # this process is in it: no groups below
    group = MemoryGroup.make("step", 64 * MIB, root)
    assert group == MemoryGroup(above / "step")
    assert (above / "step" / "memory.max").read_text() == str(64 * MIB)


@pytest.mark.parametrize("lines", [[], ["0::/"], ["0::/user.slice"], ["4:memory:/not/there"], ["0::/../../elsewhere"]])
def test_where_none_may_be_made_there_is_none(root: Path, lines: list[str]) -> None:
    this_process_is_in(root, *lines)
    assert MemoryGroup.make("step", 64 * MIB, root) is None
    assert list(root.iterdir()) == []


def test_a_group_that_takes_no_limit_is_removed_again(root: Path) -> None:
    this_process_is_in(root, "0::/app/run")
    above = delegated(root, "app", "memory")
    delegated(root, "app/run", "")
    (above / "step").mkdir()
    (above / "step" / "memory.max").mkdir()  # writing to it fails
    assert MemoryGroup.make("step", 64 * MIB, root) is None


@pytest.mark.parametrize(
    ("name", "content", "has"),
    [
        ("memory.events", "low 0\noom 3\noom_kill 0\n", False),
        ("memory.events", "low 0\noom 3\noom_kill 1\n", True),
        ("memory.oom_control", "oom_kill_disable 0\nunder_oom 1\noom_kill 0\n", False),
        ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", True),
        ("cgroup.procs", "", False),
    ],
)
def test_the_kernel_says_whether_it_has_killed(tmp_path: Path, name: str, content: str, has: bool) -> None:
    (tmp_path / name).write_text(content)
    assert MemoryGroup(tmp_path).has_killed is has


@pytest.fixture
def real() -> Iterator[MemoryGroup]:
    group = MemoryGroup.make("headrace-test-cgroups", 64 * MIB)
    if group is None:
        pytest.skip("this user may make no control groups")
    yield group
    group.remove()
    assert not group.folder.exists()


def test_a_real_group_ends_what_takes_more(real: MemoryGroup) -> None:
    code = (
        "import os, sys; from pathlib import Path\n"
        "from platform_core.compute.backends.local.cgroups import MemoryGroup\n"
        f"MemoryGroup(Path({str(real.folder)!r})).join(os.getpid())\n"
        "print(len(bytearray(20_000_000)), flush=True); print(len(bytearray(200_000_000)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-9, "20000000\n")
    assert real.has_killed
