"""`headrace leaderboard`, `search` and `compare`, the whole commands, over ten thousand versions of a model and ten."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

from benchmarks.bench_catalog import Limited
from benchmarks.interleave import BenchmarkError, Comparison, Contender, interleaved
from platform_core.catalog.opening import open_catalog
from platform_core.catalog.values import TRIAL, Version
from platform_core.namespaces import Namespace
from tests.end_to_end.conftest import Headrace
from tests.platform_core.drafts import draft

MANY, FEW = 10_000, 10
SECONDS = 1.0
ANN = Namespace("user", "ann")
SUBJECT, REFERENCE = f"leaderboard of {MANY:,}", f"leaderboard of {FEW}"


def main() -> Comparison:
    with tempfile.TemporaryDirectory() as folder:
        many, few = (_commands(Path(folder) / str(number), number) for number in (MANY, FEW))
        contenders = [Contender(SUBJECT, many["leaderboard"]), Contender(REFERENCE, few["leaderboard"])]
        contenders += [Contender(f"{verb} of {MANY:,}", many[verb]) for verb in ("search", "compare")]
        samples = interleaved(contenders)
    return Limited(
        claim=f"A leaderboard of {MANY:,} versions of a model, a search and a comparison take less than a second each",
        subject=SUBJECT,
        reference=REFERENCE,
        target=1.5,
        samples=samples,
        limits={contender.name: SECONDS for contender in contenders if contender.name != REFERENCE},
    )


def _commands(home: Path, number: int) -> dict[str, Callable[[], None]]:
    """The commands by name, in a home with so many versions of a model."""
    home.mkdir()
    ids = _populate(f"sqlite:///{home}/catalog.db", number)
    headrace = Headrace(home, str(ANN))

    def run(*arguments: str) -> Callable[[], None]:
        def once() -> None:
            done = headrace(*arguments)
            if done.returncode:
                raise BenchmarkError(done.stdout)

        return once

    return {
        "leaderboard": run("leaderboard", "t/m", "--by", "roc_auc"),
        "search": run("search", "t/m", "--where", "param.depth = 4", "--where", "roc_auc > 0.9"),
        "compare": run("compare", *(f"t/m@{name}" for name in ids[:5])),
    }


def _populate(url: str, number: int) -> list[str]:
    catalog, random = open_catalog(url), Random(number)
    drafts = [_version(index, random) for index in range(number)]
    for start in range(0, number, 500):
        catalog.keep(ANN, drafts[start : start + 500], {TRIAL: "try"})
    return [version.id for version in drafts]


def _version(index: int, random: Random) -> Version:
    made = draft("t/m", namespace=ANN)
    metadata = {"roc_auc": random.random(), "brier": random.random(), "card": "x" * 500}
    parameters = {"depth": index % 8, "rate": random.random()}
    return replace(made, metadata=metadata, provenance=replace(made.provenance, parameters=parameters))
