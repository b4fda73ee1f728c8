"""Words, places and topics of pages whose topics are known."""

import random

import numpy as np
import polars as pl
import pytest

from code_locations.manuals import drawing, training

VOCABULARY = {
    "trees": ["bark", "leaf", "root", "branch", "forest", "wood"],
    "fish": ["fin", "scale", "gill", "water", "swim", "river"],
    "stars": ["orbit", "light", "planet", "telescope", "galaxy", "night"],
}
EACH = 20


def pages() -> pl.DataFrame:
    chosen = random.Random(0)
    rows = [
        (f"{about}.{number:02}", "lib", f"lib.{about}", " ".join(chosen.choices(words, k=30)))
        for about, words in VOCABULARY.items()
        for number in range(EACH)
    ]
    return pl.DataFrame(rows, ["page", "library", "section", "text"], orient="row")


TERMS = training.terms(pages(), commonest=1.0)  # each word is on a third of these pages


def placed(dimensions: int = 3) -> pl.DataFrame:
    found, _ = training.vectors(TERMS, dimensions)
    return pages().select("page", "library", "section").join(found, on="page")


def test_pages_of_a_subject_are_found_to_be_of_one_topic() -> None:
    found = training.train(placed(), 3)
    together = found.topics.group_by("section").agg(pl.col("topic").n_unique())
    assert together["topic"].to_list() == [1, 1, 1]
    assert found.metrics["silhouette"] > 1.5 * found.metrics["silhouette_by_chance"]
    assert [found.metrics[name] for name in ("stability", "agreement")] == pytest.approx([1, 1])
    assert found.metrics["smallest"] == EACH


def test_where_there_is_nothing_to_find_topics_are_no_clearer_than_chance() -> None:
    noise = np.random.default_rng(1).normal(size=(120, 5))
    vectors = pl.DataFrame(
        {"page": [str(n) for n in range(120)], "library": "l", "section": "s", "vector": noise.tolist()}
    )
    found = training.train(vectors, 6)
    assert found.metrics["silhouette"] < 1.3 * found.metrics["silhouette_by_chance"]
    assert found.metrics["stability"] < 0.6


def test_topics_are_described_by_their_own_words() -> None:
    topics = training.train(placed(), 3).topics
    told = training.described(topics, TERMS)
    by_section = dict(told.select("main_section", "words").iter_rows())
    for about, words in VOCABULARY.items():
        assert set(by_section[f"lib.{about}"].split(", ")) >= set(words)
    assert told.select("pages", "share").rows() == 3 * [(EACH, 1.0)]


def test_every_page_of_tf_idf_has_length_one() -> None:
    lengths = TERMS.group_by("page").agg((pl.col("weight") ** 2).sum())["weight"]
    assert lengths.to_list() == pytest.approx([1.0] * 3 * EACH)


def test_the_gate_is_given_a_silhouette_for_each_page() -> None:
    vectors = placed()
    found = training.train(vectors, 3)
    scored = training.scores(found.model, vectors, "")
    assert scored["score"].to_numpy().mean() == pytest.approx(found.metrics["silhouette"])
    assert set(scored["truth"]) == {1.0}


def test_a_model_of_other_vectors_places_no_page() -> None:
    model = training.train(placed(3), 3).model
    assert set(training.scores(model, placed(4), "")["score"]) == {0.0}
    with pytest.raises(ValueError, match="found among vectors of 3 dimensions and these have 4; train the model"):
        training.assigned(model, placed(4))


@pytest.mark.parametrize("topics", [1, 60])
def test_topics_that_cannot_be_had_are_one_sentence(topics: int) -> None:
    with pytest.raises(ValueError, match=f"60 pages cannot be divided into {topics} topics; choose from 2 to 59"):
        training.train(placed(), topics)


@pytest.mark.parametrize("dimensions", [1, 18])
def test_dimensions_that_cannot_be_had_are_one_sentence(dimensions: int) -> None:
    with pytest.raises(ValueError, match=f"{dimensions} dimensions cannot be had of 60 pages and 18 words"):
        training.vectors(TERMS, dimensions)


def test_the_map_shows_every_page_and_names_every_topic() -> None:
    vectors = placed()
    topics = training.train(vectors, 3).topics
    figure = drawing.topic_map(training.places(vectors), topics, training.words(topics, TERMS), "Sixty pages")
    (axes,) = figure.axes
    assert len(axes.collections[0].get_offsets()) == 3 * EACH
    said = {word for text in axes.texts for word in text.get_text().split("\n")}
    assert all(said & set(words) for words in VOCABULARY.values())
    assert axes.get_title() == "Sixty pages"
