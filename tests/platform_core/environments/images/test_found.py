"""Which images may go."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from platform_core.environments.images.found import Image, removable

NOW = datetime(2026, 11, 21, tzinfo=UTC)
OLD = Image("sha256:1", "a:1", "a", (), "abc", "", "user/tess", 1, "", False, False, NOW - timedelta(days=1))


def test_what_expired_may_go() -> None:
    assert removable([OLD], NOW) == [OLD]


@pytest.mark.parametrize(
    "kept",
    [
        replace(OLD, current=True),
        replace(OLD, used=True),
        replace(OLD, expires=None),
        replace(OLD, expires=NOW + timedelta(days=1)),
    ],
)
def test_anything_else_stays(kept: Image) -> None:
    assert removable([kept, OLD], NOW) == [OLD]
