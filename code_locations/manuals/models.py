"""Topics of the pages, what guards them, and what they say of each page."""

from typing import Any

import dagster as dg
import polars as pl

from code_locations.manuals import drawing, schemas, training
from platform_core import Compute, gate, log_figure, log_metric, model, notebook, prediction, volume

FEWEST_PAGES = 5
CLEARER = 1.5  # times what is found where there is nothing to find
STABLE = 0.6
VECTORS = {"page_vectors": dg.AssetIn(["manuals", "page_vectors"])}


class Division(dg.Config):
    """Into how many topics pages are divided, and from which random start."""

    topics: int = 24
    seed: int = 0


@model(
    checks=[gate("page_vectors", training.scores, loss="absolute_error", segments=["library"])],
    kinds={"model", "scikitlearn"},
    metadata={
        "limits": [
            "Pages of less than 400 characters, and examples, are not read.",
            "A page has one topic, whatever else it is about.",
        ]
    },
    compute=Compute(cpu=1, memory="2GiB", timeout="10m"),
)
def topics(page_vectors: pl.DataFrame, page_terms: pl.DataFrame, page_map: pl.DataFrame, config: Division) -> Any:
    """What are the pages about? K-means on what they say; nobody said beforehand which topics there are."""
    found = training.train(page_vectors, config.topics, config.seed)
    for name, value in found.metrics.items():
        log_metric(name, round(value, 4))
    scored = found.topics.with_columns(training.scores(found.model, page_vectors, "")["score"])
    for (library,), rows in scored.group_by("library", maintain_order=True):
        log_metric("silhouette", round(float(rows["score"].to_numpy().mean()), 4), segment=f"library={library}")
    title = f"{page_map.height:,} pages in {config.topics} topics, silhouette {found.metrics['silhouette']:.3f}"
    words = training.words(found.topics, page_terms)
    log_figure("topics", drawing.topic_map(page_map, found.topics, words, title))
    log_figure("silhouettes", drawing.silhouettes(scored))
    return found.model


@dg.asset_check(asset=topics, blocking=True, additional_ins=VECTORS)
def no_tiny_topic(topics: Any, page_vectors: pl.DataFrame) -> dg.AssetCheckResult:
    """A topic of a page or two is no topic, and one of none could not be described."""
    sizes = training.sizes(topics, page_vectors)
    tiny = [str(topic) for topic, pages in enumerate(sizes) if pages < FEWEST_PAGES]
    return dg.AssetCheckResult(
        passed=not tiny,
        description=f"Fewer than {FEWEST_PAGES} pages have the topics {', '.join(tiny)}." if tiny else None,
        metadata={"smallest": min(sizes), "largest": max(sizes)},
    )


@dg.asset_check(asset=topics, blocking=True, additional_ins=VECTORS)
def clearer_than_chance(topics: Any, page_vectors: pl.DataFrame) -> dg.AssetCheckResult:
    """Topics are told apart more clearly than in vectors whose columns were shuffled, where there are none."""
    clear, chance = training.silhouette(topics, page_vectors), training.silhouette_by_chance(topics, page_vectors)
    passed = clear >= CLEARER * chance
    return dg.AssetCheckResult(
        passed=passed,
        description=None if passed else f"A silhouette of {clear:.3f}, where chance alone gives {chance:.3f}.",
        metadata={"silhouette": clear, "silhouette_by_chance": chance},
    )


@dg.asset_check(asset=topics, additional_ins=VECTORS)
def stable_over_seeds(topics: Any, page_vectors: pl.DataFrame) -> dg.AssetCheckResult:
    """Another random start finds much the same topics. Where it does not, their number is chosen badly."""
    stability = training.stability(topics, page_vectors)
    passed = stability >= STABLE
    return dg.AssetCheckResult(
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=None if passed else f"Other seeds agree by {stability:.2f} only; try another number of topics.",
        metadata={"stability": stability},
    )


@prediction(schema=schemas.PageTopics, checks=[volume()])
def page_topics(topics: Any, page_vectors: pl.DataFrame) -> pl.DataFrame:
    """The topic of each page, and how near it lies to the middle of it."""
    return training.assigned(topics, page_vectors)


@prediction(schema=schemas.TopicWords)
def topic_words(page_topics: pl.DataFrame, page_terms: pl.DataFrame) -> pl.DataFrame:
    """What each topic is about, in words, and which part of a library most of its pages come from."""
    return training.described(page_topics, page_terms)


class Report(dg.Config):
    """How many topics the report lists, and below which similarity a page counts as far off."""

    largest: int = 8
    far: float = 0.7


@prediction
@notebook("topic_report.ipynb")
def topic_report(page_topics: pl.DataFrame, topic_words: pl.DataFrame, config: Report) -> None:
    """The topics as a page to read: an executed notebook."""
