"""Who imports whom in a checkout, read by grimp in a process of its own: `python -P imports.py PACKAGE...`.

A process of its own, because this one has imported the packages of its own checkout, which may be another one.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

Graph = Mapping[str, Sequence[str]]  # by module what it imports


def read_imports(root: Path, packages: Sequence[str]) -> Graph:
    """The import graph of packages of a checkout, imports inside of functions included.

    Raises:
        RuntimeError: grimp is missing, or a file cannot be parsed; the text is the last line of the complaint.
    """
    done = subprocess.run(
        [sys.executable, "-P", __file__, *packages],
        env={**os.environ, "PYTHONPATH": str(root)},
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().rpartition("\n")[2])
    return dict(json.loads(done.stdout))


def reached(graph: Graph, starts: Iterable[str]) -> set[str]:
    """The modules that some modules import, directly or not, with themselves and the packages they lie in."""
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        for module in with_packages(waiting.pop()):
            if module not in found:
                found.add(module)
                waiting += graph.get(module, ())
    return found


def with_packages(module: str) -> Iterator[str]:
    """A module and the packages above it, whose `__init__` runs first."""
    parts = module.split(".")
    yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _main(packages: Sequence[str]) -> None:
    import grimp

    graph = grimp.build_graph(*packages, cache_dir=None)
    known = {module: sorted(graph.find_modules_directly_imported_by(module)) for module in sorted(graph.modules)}
    sys.stdout.write(json.dumps(known))


if __name__ == "__main__":
    _main(sys.argv[1:])
