"""What pages are about: words, places among all pages, and topics. scikit-learn is imported where it is used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from code_locations.manuals.reading import prose

if TYPE_CHECKING:
    from numpy import ndarray
    from sklearn.cluster import KMeans

RAREST, COMMONEST = 5, 0.15  # pages, and share of all pages, that say a word which tells pages apart
STARTS = 4
OTHER_SEEDS = 3
WORDS = 8


@dataclass(frozen=True)
class Clustered:
    """Topics as cluster centres, and how good they are.

    metrics: silhouette, silhouette_by_chance and stability as the functions of these names give them, agreement (with
        the sections that people gave the pages; adjusted mutual information), smallest (pages of the smallest topic).
    topics: as `assigned` gives them.
    """

    model: KMeans = field(repr=False)
    metrics: dict[str, float]
    topics: pl.DataFrame = field(repr=False)


def terms(pages: pl.DataFrame, commonest: float = COMMONEST) -> pl.DataFrame:
    """page, term and weight (TF-IDF, sublinear, each page of length one) of what pages say in words.

    Args:
        commonest: the share of all pages beyond which a word tells none apart.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(
        stop_words="english", token_pattern=r"[a-z]{3,}", min_df=RAREST, max_df=commonest, sublinear_tf=True
    )
    found = words.fit_transform([prose(text) for text in pages["text"]]).tocoo()
    names = pl.Series("term", words.get_feature_names_out(), dtype=pl.String)
    columns = {"page": pages["page"].gather(found.row), "term": names.gather(found.col), "weight": found.data}
    # Rounding may make a weight of one a little more.
    return pl.DataFrame(columns).with_columns(pl.col("weight").clip(upper_bound=1.0)).sort("page", "term")


def vectors(terms: pl.DataFrame, dimensions: int) -> tuple[pl.DataFrame, float]:
    """page and vector of each page, and the share of the variance that so many dimensions explain.

    Latent semantic analysis (Deerwester et al. 1990): a truncated singular value decomposition, scaled to length one.
    ValueError: there are not more words than dimensions.
    """
    from scipy.sparse import csr_array
    from sklearn.decomposition import TruncatedSVD
    from sklearn.preprocessing import normalize

    pages, words = terms["page"].unique().sort(), terms["term"].n_unique()
    if not 1 < dimensions < min(words, len(pages)):
        raise ValueError(
            f"{dimensions} dimensions cannot be had of {len(pages)} pages and {words} words; choose 2 or more,"
            " and fewer than there are of either."
        )
    codes = terms.select(pl.col("page", "term").rank("dense").cast(pl.Int64) - 1)
    matrix = csr_array((terms["weight"].to_numpy(), (codes["page"].to_numpy(), codes["term"].to_numpy())))
    reduced = TruncatedSVD(dimensions, random_state=0)
    placed = normalize(reduced.fit_transform(matrix))
    frame = pl.DataFrame({"page": pages, "vector": placed.tolist()})
    return frame, float(reduced.explained_variance_ratio_.sum())


def places(vectors: pl.DataFrame) -> pl.DataFrame:
    """page, x and y: t-SNE (van der Maaten and Hinton 2008), on which near pages are alike and far ones say nothing."""
    from sklearn.manifold import TSNE

    rows = _matrix(vectors)
    perplexity = min(30.0, (len(rows) - 1) / 3)
    found = TSNE(random_state=0, init="pca", max_iter=500, angle=0.8, perplexity=perplexity).fit_transform(rows)
    return vectors.select(
        "page", x=pl.Series(found[:, 0], dtype=pl.Float64), y=pl.Series(found[:, 1], dtype=pl.Float64)
    )


def train(vectors: pl.DataFrame, topics: int, seed: int = 0) -> Clustered:
    """Divides pages into so many topics.

    Args:
        vectors: page, section and vector.

    Raises:
        ValueError: fewer than two topics, or not fewer than there are pages.
    """
    rows = _matrix(vectors)
    if not 1 < topics < len(rows):
        raise ValueError(f"{len(rows)} pages cannot be divided into {topics} topics; choose from 2 to {len(rows) - 1}.")
    model = _fitted(rows, topics, seed)
    return Clustered(model, _metrics(model, vectors), assigned(model, vectors))


def _matrix(vectors: pl.DataFrame) -> ndarray:
    import numpy as np

    return np.array(vectors["vector"].to_list(), dtype=np.float64)


def _fitted(rows: ndarray, topics: int, seed: int) -> KMeans:
    from sklearn.cluster import KMeans

    return KMeans(topics, n_init=STARTS, random_state=seed).fit(rows)


def _metrics(model: KMeans, vectors: pl.DataFrame) -> dict[str, float]:
    from sklearn.metrics import adjusted_mutual_info_score

    return {
        "silhouette": silhouette(model, vectors),
        "silhouette_by_chance": silhouette_by_chance(model, vectors),
        "stability": stability(model, vectors),
        "agreement": float(adjusted_mutual_info_score(vectors["section"].to_list(), model.labels_)),
        "smallest": float(min(sizes(model, vectors))),
    }


def silhouette(model: KMeans, vectors: pl.DataFrame) -> float:
    """Mean silhouette (Rousseeuw 1987) of all pages, from -1 to 1."""
    from sklearn.metrics import silhouette_score

    rows = _matrix(vectors)
    return float(silhouette_score(rows, model.predict(rows)))


def silhouette_by_chance(model: KMeans, vectors: pl.DataFrame) -> float:
    """The same for as many topics of vectors that have nothing in common: each column was shuffled on its own."""
    import numpy as np
    from sklearn.metrics import silhouette_score

    shuffled = np.random.default_rng(0).permuted(_matrix(vectors), axis=0)
    return float(silhouette_score(shuffled, _fitted(shuffled, model.n_clusters, 0).labels_))


def stability(model: KMeans, vectors: pl.DataFrame) -> float:
    """The mean adjusted Rand index (Hubert and Arabie 1985) to what other seeds find: 1 is the same, 0 is chance."""
    import numpy as np
    from sklearn.metrics import adjusted_rand_score

    rows = _matrix(vectors)
    own = model.predict(rows)
    seeds = range(model.random_state + 1, model.random_state + 1 + OTHER_SEEDS)
    return float(np.mean([adjusted_rand_score(own, _fitted(rows, model.n_clusters, seed).labels_) for seed in seeds]))


def sizes(model: KMeans, vectors: pl.DataFrame) -> list[int]:
    """How many pages each topic has."""
    import numpy as np

    return [int(pages) for pages in np.bincount(model.predict(_matrix(vectors)), minlength=model.n_clusters)]


def assigned(model: KMeans, vectors: pl.DataFrame) -> pl.DataFrame:
    """page, library, section, topic, similarity to its middle and the second nearest topic of each page.

    ValueError: the vectors have another length than those that the topics were found in.
    """
    import numpy as np
    from sklearn.metrics.pairwise import cosine_similarity

    rows = _matrix(vectors)
    if not fits(model, vectors):
        raise ValueError(
            f"The topics were found among vectors of {model.n_features_in_} dimensions and these have"
            f" {rows.shape[1]}; train the model on them first."
        )
    order = np.argsort(model.transform(rows), axis=1)
    near = cosine_similarity(rows, model.cluster_centers_)[np.arange(len(rows)), order[:, 0]]
    found = {"topic": order[:, 0], "similarity": near.clip(-1, 1), "second": order[:, 1]}
    columns = [pl.Series(name, values) for name, values in found.items()]
    return vectors.select("page", "library", "section").with_columns(columns)


def fits(model: KMeans, vectors: pl.DataFrame) -> bool:
    """Whether a model knows vectors of this length."""
    return bool(vectors["vector"].list.len().max() == model.n_features_in_)


def scores(model: Any, vectors: pl.DataFrame, _partition: str) -> pl.DataFrame:
    """truth (1) and score, the silhouette of each page, with its library: the loss of a page is how far it is from 1.

    A model of vectors of another length cannot place a page: each lies on the border between topics (0).
    """
    from sklearn.metrics import silhouette_samples

    rows = vectors.select("library", truth=pl.lit(1.0))
    if not fits(model, vectors):
        return rows.with_columns(score=pl.lit(0.0))
    matrix = _matrix(vectors)
    return rows.with_columns(pl.Series("score", silhouette_samples(matrix, model.predict(matrix))))


def words(topics: pl.DataFrame, terms: pl.DataFrame, count: int = WORDS) -> pl.DataFrame:
    """topic, term and weight of what the pages of a topic say more than others: `count` words, the strongest first."""
    sizes = topics.group_by("topic").agg(pages=pl.len())
    overall = terms.group_by("term").agg(overall=pl.col("weight").sum() / topics.height)
    sums = terms.join(topics.select("page", "topic"), on="page").group_by("topic", "term").agg(pl.col("weight").sum())
    more = sums.join(sizes, on="topic").join(overall, on="term")
    told = more.select("topic", "term", weight=pl.col("weight") / pl.col("pages") - pl.col("overall"))
    ranked = told.sort("topic", "weight", "term", descending=[False, True, False])
    return ranked.group_by("topic", maintain_order=True).head(count)


def described(topics: pl.DataFrame, terms: pl.DataFrame) -> pl.DataFrame:
    """topic, words, pages, main_section and share of each topic, the largest first."""
    said = words(topics, terms).group_by("topic").agg(words=pl.col("term").str.join(", "))
    sections = topics.group_by("topic", "section").len().sort("len", "section", descending=[True, False])
    main = sections.group_by("topic", maintain_order=True).agg(
        pages=pl.col("len").sum().cast(pl.Int64),
        main_section=pl.col("section").first(),
        share=pl.col("len").first() / pl.col("len").sum(),
    )
    return (
        said.join(main, on="topic")
        .select("topic", "words", "pages", "main_section", "share")
        .sort("pages", "topic", descending=[True, False])
    )
