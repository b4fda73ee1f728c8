"""Suggestions, how they are judged, and factors that are those of the library."""

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from implicit.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix

from code_locations.rotations import training

SCHEMA: dict[str, Any] = {
    "month": pl.String, "tailnum": pl.String, "carrier": pl.String,
    "dests": pl.List(pl.String), "departures": pl.List(pl.Int64), "new": pl.List(pl.String),
}  # fmt: skip
# Two kinds of aircraft: those that go east and those that go west.
MODEL: dict[str, Any] = {
    "destinations": ["BOS", "LAX", "PHL", "SEA", "SFO"],
    "factors": [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 0.9], [0.0, 1.0]],
    "regularization": 0.1,
    "confidence": 5.0,
}


def habits(*rows: tuple[str, str, dict[str, int], list[str]]) -> pl.DataFrame:
    """Of aircraft: tail number, carrier, departures by destination, and what was new."""
    told = [("2013-07", tail, carrier, list(been), list(been.values()), new) for tail, carrier, been, new in rows]
    return pl.DataFrame(told, SCHEMA, orient="row")


EAST = ("N1", "AA", {"BOS": 9}, ["PHL"])
WEST = ("N2", "AA", {"LAX": 3, "SEA": 1}, ["SFO"])


def test_an_aircraft_is_suggested_what_is_like_where_it_was_and_new_to_it() -> None:
    told = training.suggestions(MODEL, habits(EAST, WEST))
    first = told.filter(pl.col("rank") == 1)
    assert first.select("tailnum", "dest").rows() == [("N1", "PHL"), ("N2", "SFO")]
    assert told.group_by("tailnum").len().sort("tailnum")["len"].to_list() == [4, 3]  # not where it has been
    assert told.columns == ["month", "tailnum", "rank", "dest", "score"]


def test_an_aircraft_may_have_been_where_the_model_knows_nothing_of() -> None:
    strange = ("N3", "UA", {"HNL": 5}, ["BOS"])
    assert training.scored(MODEL, habits(strange)) == pytest.approx(np.zeros((1, 5)))


def test_gain_falls_with_the_place_and_is_one_when_all_that_is_new_comes_first() -> None:
    rows = habits(EAST, ("N4", "AA", {"BOS": 1}, ["PHL", "SEA"]), ("N5", "UA", {"BOS": 1}, []))
    scores = np.array([[9, 1, 5, 4, 3], [9, 4, 5, 1, 3], [1, 2, 3, 4, 5]], dtype=float)
    told = training.judged(scores, rows, MODEL["destinations"])
    ideal = 1 + 1 / math.log2(3)
    assert told["tailnum"].to_list() == ["N1", "N4"]  # what went nowhere new judges nothing
    assert told[training.NDCG].to_list() == pytest.approx([1, (1 + 1 / math.log2(5)) / ideal])
    assert told[training.RECALL].to_list() == pytest.approx([1, 1])


def test_what_a_model_does_not_know_counts_as_not_found() -> None:
    told = training.judged(np.ones((1, 5)), habits(("N6", "AA", {"BOS": 1}, ["HNL"])), MODEL["destinations"])
    assert told.select(training.NDCG, training.RECALL).row(0) == (0, 0)


def test_baselines_are_shares_of_all_aircraft_and_of_those_of_the_carrier() -> None:
    rows = habits(EAST, WEST, ("N7", "UA", {"LAX": 1}, []), ("N8", "UA", {"LAX": 1}, []))
    places = MODEL["destinations"]
    assert training.popular(rows, places)[0].tolist() == [0.25, 0.75, 0, 0.25, 0]
    assert training.popular_with_carrier(rows, places)[0].tolist() == [0.5, 0.5, 0, 0.5, 0]
    assert training.popular_with_carrier(rows, places)[3].tolist() == [0, 1, 0, 0, 0]


def test_the_gate_is_given_each_aircraft_that_went_somewhere_new() -> None:
    told = training.scores(MODEL, habits(EAST, WEST, ("N5", "UA", {"BOS": 1}, [])), "2013-07")
    assert told.select("carrier", "truth", "score").rows() == [("AA", 1, 1), ("AA", 1, 1)]


def crowd() -> pl.DataFrame:
    """Aircraft of one carrier that go east or west, each having missed one place of its side."""
    sides = {"E": ["BOS", "PHL", "BWI", "DCA", "RDU"], "W": ["LAX", "SFO", "SEA", "PDX", "SAN"]}
    return habits(
        *(
            (f"{side}{number:02}", "AA", {place: 5 for place in places if place != missed}, [missed])
            for side, places in sides.items()
            for number, missed in enumerate(3 * places)
        )
    )


def test_factors_find_what_popularity_does_not() -> None:
    rows = crowd()
    model = training.train(rows, factors=4, regularization=0.1)
    found = training.metrics(model, rows)
    assert found[training.NDCG] > 0.95
    assert found[f"{training.NDCG}_popular_with_carrier"] < 0.6
    assert training.by_carrier(model, rows)["AA"] == pytest.approx(found[training.NDCG])
    assert training.train(rows, factors=4, regularization=0.1) == model


def test_an_aircraft_gets_the_factors_that_the_library_would_give_it() -> None:
    rows = crowd()
    model = training.train(rows, factors=4, regularization=0.5)
    als = AlternatingLeastSquares(4, 0.5, alpha=1.0, iterations=20, random_state=0, num_threads=1)
    known = csr_matrix(training._confidences(rows, model["destinations"], 5.0), dtype="float32")
    als.fit(known, show_progress=False)
    theirs = als.recalculate_user(np.arange(rows.height), known) @ als.item_factors.T
    assert training.scored(model, rows) == pytest.approx(theirs, abs=1e-3)


def test_more_factors_than_destinations_are_one_sentence() -> None:
    with pytest.raises(ValueError, match="16 factors cannot be had of 30 aircraft and 10 destinations; choose fewer"):
        training.train(crowd())
