"""Sizes and durations as people write them: `4GiB`, `500MB`, `90s`, `2h`."""

import re

SHORTEST = 0.001  # seconds
_KIBI = 1024
_BYTES = {"": 1, "B": 1} | {
    f"{prefix}{suffix}": base**power
    for power, prefix in enumerate("KMGTP", start=1)
    for suffix, base in (("", _KIBI), ("I", _KIBI), ("IB", _KIBI), ("B", 1000))
}
_SECONDS = {"": 1, "S": 1, "M": 60, "MIN": 60, "H": 3600, "D": 86400}
_QUANTITY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.IGNORECASE)


def as_bytes(size: str | int) -> int:
    """A number of bytes. `GiB`, `Gi` and `G` count in 1024s as Kubernetes and Docker do, `GB` in 1000s.

    Raises:
        ValueError: it is no size, or less than a byte.
    """
    return int(_at_least(1, size, _BYTES, "a size such as 4GiB or 500MB"))


def as_seconds(duration: str | float) -> float:
    """A number of seconds.

    Raises:
        ValueError: it is no duration, or less than a millisecond.
    """
    return _at_least(SHORTEST, duration, _SECONDS, "a duration such as 90s, 30min or 2h")


def size_text(number: float) -> str:
    """Bytes for people, in the unit that gives the shortest honest text: `4 GiB`, `1.5 GiB`, `512 MiB`."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if number < _KIBI:
            return f"{number:.4g} {unit}"
        number /= _KIBI
    return f"{number:.4g} PiB"


def duration_text(seconds: float) -> str:
    """Seconds for people: `90 s`, `5 min`, `2 h`."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:.10g} {unit}"
    return f"{seconds:.10g} s"


def _at_least(least: float, quantity: str | float, units: dict[str, int], expected: str) -> float:
    found = _QUANTITY.fullmatch(str(quantity))
    number = float(found[1]) * units.get(found[2].upper(), 0) if found else 0
    if number < least:
        raise ValueError(f"'{quantity}' is not {expected}")
    return number
