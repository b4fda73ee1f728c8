"""The map of all pages, coloured by topic and labelled with what each topic says. matplotlib is imported inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GOLDEN = 0.618034  # steps of so much on the circle of colours keep any number of them apart
LABEL = {"ha": "center", "va": "center", "fontsize": 8, "linespacing": 0.95}


def topic_map(places: pl.DataFrame, topics: pl.DataFrame, words: pl.DataFrame, title: str) -> Figure:
    """One figure.

    Args:
        places: page, x and y. topics: page and topic. words: topic and term, the strongest first.
    """
    from matplotlib import colormaps
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patheffects import withStroke

    figure = Figure(figsize=(9, 7), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)  # no pyplot: its global state is not safe in a server or a thread
    axes = figure.subplots()
    points = places.join(topics.select("page", "topic"), on="page").sort("page")
    colours = colormaps["hsv"](points["topic"].to_numpy() * GOLDEN % 1)
    axes.scatter(points["x"].to_numpy(), points["y"].to_numpy(), s=5, c=colours, linewidths=0)
    for topic, x, y in points.group_by("topic").agg(pl.col("x", "y").median()).sort("topic").iter_rows():
        said = words.filter(pl.col("topic") == topic)["term"].head(2).to_list()
        text = axes.text(x, y, "\n".join(said), **LABEL)
        text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])
    axes.set(title=title, xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return figure


def silhouettes(scored: pl.DataFrame) -> Figure:
    """How well each page lies in its topic, topic by topic: a knife that is wide and long is a good topic.

    Args:
        scored: topic and score of each page.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 7), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    ordered = scored.sort("topic", "score")
    for topic, rows in ordered.with_row_index("line").group_by("topic", maintain_order=True):
        lines, values = rows["line"].to_numpy(), rows["score"].to_numpy()
        axes.fill_betweenx(lines, 0, values, linewidth=0, alpha=0.8)
        axes.text(-0.02, float(lines.mean()), str(topic[0]), ha="right", va="center", fontsize=7)
    mean = float(ordered["score"].to_numpy().mean())
    axes.axvline(mean, color="black", linestyle="--", linewidth=1)
    axes.set(title=f"Silhouette of each page, mean {mean:.3f}", yticks=[], xlabel="silhouette", ylim=(0, scored.height))
    axes.spines[["top", "right", "left"]].set_visible(False)
    return figure
