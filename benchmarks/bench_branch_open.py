"""`headrace branch open`, the whole command, over a hundred thousand versions and over ten."""

import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

from benchmarks.bench_catalog import Limited, _catalog
from benchmarks.interleave import BenchmarkError, Comparison, Contender, interleaved
from tests.end_to_end.conftest import Headrace
from tests.end_to_end.small_repository import git, small_repository

SUBJECT, REFERENCE = "branch open, 100,000 versions", "branch open, 10 versions"
ASSETS, PARTITIONS, FEW = 100, 1000, 10
SECONDS = 1.0


def main() -> Comparison:
    with tempfile.TemporaryDirectory() as folder:
        contenders = [
            Contender(SUBJECT, _opening(Path(folder) / "large", ASSETS, PARTITIONS)),
            Contender(REFERENCE, _opening(Path(folder) / "small", 1, FEW)),
        ]
        samples = interleaved(contenders)
    return Limited(
        claim="Opening a branch takes less than a second, the same over 10 and 100,000 versions",
        subject=SUBJECT,
        reference=REFERENCE,
        target=1.2,
        samples=samples,
        limits={SUBJECT: SECONDS},
    )


def _opening(folder: Path, assets: int, partitions: int) -> Callable[[], None]:
    """Opens another branch each time, of the code that is checked out: a worktree costs what git costs."""
    folder.mkdir()
    repository = small_repository(folder / "repository")
    home = repository / ".headrace"
    home.mkdir()
    _catalog(f"sqlite:///{home}/catalog.db", assets, partitions)
    headrace = Headrace(home, "user/ann").having(HEADRACE_REPOSITORY=str(repository), PYTHONPATH=str(repository))
    numbers = count()

    def run() -> None:
        git(repository, "switch", "--quiet", "--create", f"branch-{next(numbers)}")
        done = headrace("branch", "open", cwd=repository)
        if done.returncode:
            raise BenchmarkError(done.stdout)

    return run
