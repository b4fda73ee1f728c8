"""What ids and labels look like."""

import re
from datetime import UTC, datetime

from platform_core.catalog.values import StoredFile, new_version_id
from tests.platform_core.drafts import draft


def test_an_id_reads_as_a_time_and_sorts_by_it() -> None:
    earlier, later = (
        new_version_id(datetime(2026, 9, 30, 23, 59, tzinfo=UTC)),
        new_version_id(datetime(2026, 10, 1, tzinfo=UTC)),
    )
    assert earlier.startswith("20260930-235900-")
    assert earlier < later


def test_ids_of_the_same_moment_differ() -> None:
    now = datetime.now(UTC)
    assert len({new_version_id(now) for _ in range(1000)}) == 1000


def test_an_id_needs_no_escaping_in_a_path() -> None:
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{12}", new_version_id())


def test_a_label_names_the_partition_where_there_is_one() -> None:
    assert draft("a/b", id="v1").label == "a/b@v1"
    assert draft("a/b", "2013-01", id="v1").label == "a/b[2013-01]@v1"


def test_the_bytes_of_a_version_are_those_of_its_files() -> None:
    assert draft("a", files=(StoredFile("x", 3, ""), StoredFile("y", 4, ""))).bytes == 7
    assert draft("a").bytes == 0
