"""`headrace cost`, as a person types it."""

import json
from datetime import UTC, datetime

from click.testing import CliRunner

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import COST, SECONDS, new_version_id
from platform_core.cli.main import headrace
from platform_core.namespaces import PRODUCTION
from tests.platform_core.drafts import TESS, draft


def call(*arguments: str) -> str:
    result = CliRunner().invoke(headrace, ["cost", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_costs_by_team_and_month_as_a_table_and_as_json(catalog: Catalog) -> None:
    assert call() == "No version says what it took.\n"
    before = new_version_id(datetime(2026, 9, 1, tzinfo=UTC))
    catalog.commit(TESS, [draft("flights/a", id=before, metadata={SECONDS: 1800.0, COST: 2.5})])
    catalog.commit(PRODUCTION, [draft("flights/b", namespace=PRODUCTION, metadata={SECONDS: 3600.0, COST: 40.0})])
    catalog.commit(TESS, [draft("stranger/c", metadata={SECONDS: 7200.0})])
    lines = [line.split() for line in call().splitlines()]
    assert lines[1:3] == [["team:flight-operations", "1.50", "42.50"], ["nobody's", "2.00", "–"]]
    assert lines[3][:3] == ["Without", "a", "price"]
    assert json.loads(call("--by", "month", "--by", "asset", "--namespace", "user/tess", "--json"))[0] == {
        "month": "2026-09", "asset": "flights/a", "seconds": 1800.0, "cost": 2.5,
    }  # fmt: skip
    assert "2026-09" not in call("--by", "month", "--since", "2026-10")


def test_a_month_that_is_none_is_misuse() -> None:
    assert CliRunner().invoke(headrace, ["cost", "--since", "October"]).exit_code == 2
