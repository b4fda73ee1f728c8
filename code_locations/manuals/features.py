"""What pages say, as numbers: words, places among all pages, and a map of them."""

import dagster as dg
import polars as pl

from code_locations.manuals import schemas, training
from platform_core import Compute, feature, log_metric


class Analysis(dg.Config):
    """How much of what pages say is kept apart. A sweep may vary it, and sweeps of topics read what it gives."""

    dimensions: int = 20


@feature(schema=schemas.PageTerms)
def page_terms(pages: pl.DataFrame) -> pl.DataFrame:
    """TF-IDF of the words that tell pages apart."""
    return training.terms(pages)


@feature(schema=schemas.PageVectors)
def page_vectors(pages: pl.LazyFrame, page_terms: pl.DataFrame, config: Analysis) -> pl.DataFrame:
    """Where each page lies among all, by latent semantic analysis of its words."""
    placed, explained = training.vectors(page_terms, config.dimensions)
    log_metric("explained_variance", round(explained, 4))
    sections = pages.select("page", "library", "section").collect()
    return sections.join(placed, on="page").sort("page")


@feature(schema=schemas.PageMap, compute=Compute(cpu=1, timeout="10m"))
def page_map(page_vectors: pl.DataFrame) -> pl.DataFrame:
    """A map of all pages for the eye, drawn once: topics only colour it."""
    return training.places(page_vectors)
