"""Building an image again after an edit of code, against building all of it. Needs a container engine.

`HEADRACE_IMAGE_BASE` names what it stands on, `HEADRACE_BENCH_NETWORK` the network for downloads.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from benchmarks.interleave import BenchmarkError, Comparison, Contender, interleaved
from platform_core.environments.images.build import build_image
from platform_core.environments.images.engine import Engine, find_engine
from platform_core.errors import FrozenError
from platform_core.settings import current_settings

CODE, COLD = "after an edit of code", "all of it"
LOCATION = "flights"


def main() -> Comparison:
    try:
        with _copy_of_the_repository() as root:
            samples = interleaved(_contenders(find_engine(), root), rounds=2, warm_up=False)
    except FrozenError as error:
        raise BenchmarkError(str(error)) from error
    return Comparison(
        claim="A change of code rebuilds an image in under a tenth of the cold build",
        subject=CODE,
        reference=COLD,
        target=0.1,
        samples=samples,
    )


@contextmanager
def _copy_of_the_repository() -> Iterator[Path]:
    """What git knows of the repository, which is that of this process meanwhile."""
    source = current_settings().repository
    listing = ["git", "-C", str(source), "ls-files", "-z"]
    files = subprocess.run(listing, capture_output=True, text=True, check=True).stdout.split("\0")
    with tempfile.TemporaryDirectory(prefix="headrace-bench-") as folder:
        root = Path(folder)
        for name in filter(None, files):
            if (source / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source / name, root / name)
        (root / ".headrace/bin").mkdir(parents=True)
        (root / ".headrace/bin/uv").symlink_to((source / ".headrace/bin/uv").resolve())
        os.environ["HEADRACE_REPOSITORY"] = folder
        try:
            yield root
        finally:
            del os.environ["HEADRACE_REPOSITORY"]


def _contenders(engine: Engine, root: Path) -> list[Contender]:
    numbers = count()
    edited = root / "code_locations" / LOCATION / "facts.py"
    network = os.environ.get("HEADRACE_BENCH_NETWORK", "")

    def build(cache: bool) -> None:
        with edited.open("a") as file:
            file.write(f"# edit {next(numbers)}\n")
        build_image(engine, LOCATION, network=network, cache=cache)

    build(True)  # what a build without the cache leaves is no cache for the next one
    return [Contender(COLD, lambda: build(False)), Contender(CODE, lambda: build(True))]
