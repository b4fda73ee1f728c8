"""Running medians of a sensor, as one writes them with numpy."""

import numpy as np
from numpy.typing import NDArray

WINDOW = 301  # readings
CHUNK = 10_000  # windows at a time: each is copied to be sorted

Numbers = NDArray[np.float64]


def running_medians(values: Numbers, window: int = WINDOW) -> Numbers:
    """By reading the median of the last readings up to it, at most `window` of them."""
    first = [float(np.median(values[: end + 1])) for end in range(min(window - 1, len(values)))]
    if len(values) < window:
        return np.array(first)
    views = np.lib.stride_tricks.sliding_window_view(values, window)
    whole = [np.median(views[start : start + CHUNK], axis=1) for start in range(0, len(views), CHUNK)]
    return np.concatenate([first, *whole])
