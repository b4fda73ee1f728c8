"""`headrace diff`, `rollback`, `gc` and `fsck`, as a person types them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from platform_core.catalog.catalog import Catalog
from platform_core.cli.main import headrace
from platform_core.errors import NotFoundError
from platform_core.store.local import LocalStore
from tests.platform_core.drafts import TESS
from tests.platform_core.history.values import Writer, orders


@pytest.fixture
def write(catalog: Catalog, store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> Writer:
    monkeypatch.setattr("platform_core.cli.history.console.width", 160)
    return Writer(catalog, store)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(headrace, arguments)


def shown(write: Writer) -> str:
    return write.catalog.resolve(TESS, "shop/orders")[""].version.id


def test_a_rollback_shows_what_it_would_do_and_does_it_when_told(write: Writer) -> None:
    first = write(orders())
    second = write(orders(price=[1.0, 2.0, 3.0]))
    assert "Nothing was done yet; add --yes" in call("rollback", "--to", str(first.transaction)).output
    assert shown(write) == second.id
    assert "1 change in transaction 3" in call("rollback", "--to", str(first.transaction), "orders", "--yes").output
    assert shown(write) == first.id
    assert "there is nothing to do" in call("rollback", "--to", str(first.transaction)).output


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("yesterday", "neither a transaction nor a time"),
        ("2026-11-21T99:00", "neither a transaction nor a time"),
        ("-1", "neither a transaction nor a time"),
        ("77", "There is no transaction 77"),
        ("2999-01-01", "2999-01-01 00:00 UTC is still to come"),
        ("2999-01-01T00:00+02:00", "2998-12-31 22:00 UTC is still to come"),
    ],
)
def test_a_rollback_to_no_moment_is_a_sentence(write: Writer, moment: str, said: str) -> None:
    write(orders())
    with pytest.raises(NotFoundError, match=said):
        CliRunner().invoke(headrace, ["rollback", "--to", moment], catch_exceptions=False)


def test_a_diff_tells_what_changed_by_key(write: Writer) -> None:
    first = write(orders())
    second = write(orders(price=[10.0, 20.0, 31.0]), metric=0.5)
    names = (f"orders@{first.id}", f"orders@{second.id}")
    found = json.loads(call("diff", *names, "--key", "id", "--json").output)
    assert (found["rows"]["changed"], found["rows"]["by_column"], found["identical"]) == (1, {"price": 1}, False)
    assert [change["name"] for change in found["metadata"]] == ["metric"]
    assert "price" in call("diff", *names, "-k", "id").output
    assert "The content is identical" in call("diff", names[0], names[0]).output


def test_gc_changes_nothing_unless_told_to(write: Writer) -> None:
    first = write(orders())
    write(orders(price=[1.0, 2.0, 3.0]))
    now = ("gc", "--keep-days", "0", "--grace-hours", "0")
    assert json.loads(call(*now, "--json").output)["versions"] == [first.label]
    assert "Nothing was deleted; add --delete" in call(*now).output
    assert write.catalog.version(first.id).forgotten_at is None
    assert len(json.loads(call(*now, "--delete", "--json").output)["deleted"]) == 1
    assert write.catalog.version(first.id).forgotten_at is not None


def test_gc_refuses_times_that_are_none(write: Writer) -> None:
    assert call("gc", "--keep-days", "-5").exit_code == 2
    assert call("gc", "--grace-hours", "-1").exit_code == 2


def test_fsck_names_what_is_not_what_was_committed(write: Writer, store: LocalStore) -> None:
    version = write(orders())
    assert call("fsck").exit_code == 0
    path = Path(store.path(version.files[0].key))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    result = call("fsck", "orders")
    assert result.exit_code == 1
    assert version.label in result.output
    assert "1 problem" in result.output
