"""Outside a step there is nothing to look at; the models of an asset are in its metadata."""

import dagster as dg
import polars as pl

from platform_core.auditing.guard import guard_of
from platform_core.auditing.subjects import MODELS, current_subject, models_in, subject_of
from tests.platform_core.drafts import TESS

KEY = dg.AssetKey(["t", "some"])


def test_outside_a_step_there_is_no_subject() -> None:
    assert current_subject(guard_of(KEY), KEY, len, {}) is None


def test_a_subject_knows_where_it_would_be_written() -> None:
    make = subject_of(guard_of(KEY, partition_by="month"), len, inputs={}, partitions=("jan",), models=("t/m",))
    subject = make(pl.DataFrame({"month": ["jan"]}))
    assert (subject.asset, subject.namespace, subject.partition_by) == ("t/some", TESS, "month")
    assert (subject.partitions, subject.models, subject.frame.height) == (("jan",), ("t/m",), 1)


def test_models_are_named_in_metadata() -> None:
    assert models_in({MODELS: "a/m,b/m"}) == ("a/m", "b/m")
    assert models_in({MODELS: dg.MetadataValue.text("a/m")}) == ("a/m",)
    assert models_in({}) == ()
