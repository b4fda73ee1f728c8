"""What the tables of the location hold."""

from __future__ import annotations

from typing import Annotated, ClassVar

import pandera.polars as pa
import polars as pl

Vector = Annotated[pl.List, pl.Float64]


class Pages(pa.DataFrameModel):
    """One row for each documented function or class."""

    page: str = pa.Field(unique=True, description="Where it is defined: library, modules and name.")
    library: str = pa.Field(description="The package that carries the page.")
    release: str = pa.Field(description="The library's version, which the lock file fixes.")
    section: str = pa.Field(description="The part of the library, such as scipy.stats.")
    name: str = pa.Field(description="The function or class.")
    text: str = pa.Field(str_length={"min_value": 400}, description="Its docstring.")

    class Config:
        strict = True
        coerce = False


class PageTerms(pa.DataFrameModel):
    """One row for each word of each page: TF-IDF, of length one for each page."""

    page: str
    term: str = pa.Field(str_matches=r"^[a-z]{3,}$")
    weight: float = pa.Field(gt=0, le=1, description="The more often on this page and the rarer elsewhere, the larger.")

    class Config:
        strict = True
        coerce = False
        unique: ClassVar = ["page", "term"]


class PageVectors(pa.DataFrameModel):
    """One row for each page: where it lies among all, by latent semantic analysis."""

    page: str = pa.Field(unique=True)
    library: str
    section: str
    vector: Vector = pa.Field(description="Of length one; as many numbers as there are dimensions.")

    class Config:
        strict = True
        coerce = False


class PageMap(pa.DataFrameModel):
    """One row for each page: its place on a map where like pages are near each other."""

    page: str = pa.Field(unique=True)
    x: float
    y: float

    class Config:
        strict = True
        coerce = False


class PageTopics(pa.DataFrameModel):
    """One row for each page: what it is about."""

    page: str = pa.Field(unique=True)
    library: str
    section: str
    topic: int = pa.Field(ge=0)
    similarity: float = pa.Field(ge=-1, le=1, description="Cosine of the angle to the middle of its topic.")
    second: int = pa.Field(ge=0, description="The topic that it would belong to otherwise.")

    class Config:
        strict = True
        coerce = False


class TopicWords(pa.DataFrameModel):
    """One row for each topic, the largest first."""

    topic: int = pa.Field(ge=0, unique=True)
    words: str = pa.Field(description="What its pages say more often than others, the strongest first.")
    pages: int = pa.Field(gt=0)
    main_section: str = pa.Field(description="The part of a library that most of its pages lie in.")
    share: float = pa.Field(gt=0, le=1, description="Share of its pages that lie there.")

    class Config:
        strict = True
        coerce = False
