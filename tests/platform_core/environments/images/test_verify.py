"""What does not hold of an image, from what it reports; real ones are in test_build."""

from typing import Any

import pytest

from platform_core.environments.images.names import CODE, ENVIRONMENT
from platform_core.environments.images.verify import _differences

MARKER = {"environment": "abc", "packages": {"toy": "1.0"}, "location": "toys"}
GOOD: dict[str, Any] = {
    "user": 1000,
    "marker": MARKER,
    "installed": {"toy": "1.0"},
    "code": "def",
    "tools": [],
    "loading": "",
}
LABELS = {ENVIRONMENT: "abc", CODE: "def"}


def told(**inside: Any) -> list[str]:
    return list(_differences("i", LABELS, GOOD | inside))


def test_an_image_that_holds_says_nothing() -> None:
    assert told() == []


@pytest.mark.parametrize(
    ("inside", "sentence"),
    [
        ({"marker": None}, "i does not say inside what environment it is."),
        ({"marker": MARKER | {"environment": "x"}}, "i is labelled as the environment abc and holds x."),
        ({"code": ""}, "i is labelled with the code def and holds none."),
        ({"installed": {"toy": "2.0"}}, "i had its packages changed after they were installed: toy, toy."),
        ({"user": 0}, "i runs as root."),
        ({"tools": ["uv", "gcc"]}, "i holds what builds: uv, gcc; take a base without it."),
        ({"loading": "ImportError: x"}, "i: the definitions of toys do not load: ImportError: x"),
    ],
)
def test_each_difference_is_a_sentence(inside: dict[str, Any], sentence: str) -> None:
    assert told(**inside) == [sentence]
