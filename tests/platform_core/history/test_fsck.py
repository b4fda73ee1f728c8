"""Files that are not what was committed are found."""

from platform_core.history.fsck import check_files
from tests.platform_core.history.values import Writer, orders


def test_sound_versions_have_no_problem(write: Writer) -> None:
    versions = [write(orders()), write(orders(), "shop/model")]
    found = check_files(write.catalog, write.store)
    assert (found.versions, found.problems) == (2, ())
    assert found.bytes == sum(version.bytes for version in versions)


def test_a_truncated_an_altered_and_a_missing_file_are_each_reported(write: Writer) -> None:
    versions = [write(orders(), f"shop/a{number}") for number in range(4)]
    truncated, altered, missing = (write.store.path(version.files[0].key) for version in versions[:3])
    truncated.write_bytes(truncated.read_bytes()[:-5])
    altered.write_bytes(altered.read_bytes()[:-5] + b"other")
    missing.unlink()
    problems = check_files(write.catalog, write.store).problems
    assert len(problems) == 3
    for version in versions[:3]:
        assert any(version.label in problem for problem in problems)
    assert check_files(write.catalog, write.store, ["shop/a3"]).problems == ()


def test_versions_that_were_given_up_are_not_missed(write: Writer) -> None:
    old = write(orders())
    write(orders())
    write.catalog.forget([old.id])
    write.store.path(old.files[0].key).unlink()
    assert check_files(write.catalog, write.store).problems == ()
