"""What can be asked of a sweep, and what gets one sentence."""

from typing import Any

import pytest

from platform_core.errors import NotFoundError
from platform_core.trials.request import Axis, Request, choice, make_request, span

DEPTH, RATE = choice("depth=2,4,8"), span("float", "rate=0.01:1:log")


def test_axes_are_read_as_people_write_them() -> None:
    assert Axis("depth", "choice", (2, 4, 8)) == DEPTH
    assert choice("layers=[1,2],[3]").values == ([1, 2], [3])
    assert Axis("rate", "float", (), 0.01, 1, True) == RATE
    assert span("int", "n=1:9") == Axis("n", "int", (), 1, 9)


def test_a_request_is_the_same_after_the_catalog() -> None:
    request = make_request([DEPTH, RATE], "random", 7, metric="auc", fixed={"kind": "oak"})
    assert Request.from_plain(request.to_plain()) == request
    assert make_request([DEPTH, choice("a=1,2")], "grid", None).count == 6


@pytest.mark.parametrize("text", ["depth", "depth=", "=2", "depth=[1"])
def test_what_is_no_choice_is_told(text: str) -> None:
    with pytest.raises(NotFoundError, match=r"NAME=VALUE,VALUE"):
        choice(text)


@pytest.mark.parametrize("text", ["rate=1", "rate=2:1", "rate=0:1:log", "rate=a:b", "rate=1:2:linear"])
def test_what_is_no_range_is_told(text: str) -> None:
    with pytest.raises(NotFoundError, match=r"NAME=FROM:TO"):
        span("float", text)


@pytest.mark.parametrize(
    ("axes", "sampler", "count", "told"),
    [
        ([], "grid", None, "Nothing differs"),
        ([DEPTH, DEPTH], "grid", None, "depth is given twice"),
        ([RATE], "grid", None, "no values between the ends of rate"),
        ([RATE], "random", None, "--random N"),
        ([RATE], "tpe", 5, "--metric"),
        ([choice("a=" + ",".join(map(str, range(400)))), choice("b=" + ",".join(map(str, range(400))))], "grid", None,
         "160,000 trials"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_told(axes: Any, sampler: Any, count: int | None, told: str) -> None:
    with pytest.raises(NotFoundError, match=told):
        make_request(axes, sampler, count)
