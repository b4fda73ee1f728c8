"""What a person sees of versions that were refused."""

import json

from click.testing import CliRunner

from platform_core.catalog.catalog import Catalog
from platform_core.cli.versions import show, versions
from tests.platform_core.drafts import TESS, draft


def test_refused_versions_are_listed_with_the_reason(catalog: Catalog) -> None:
    (good,) = catalog.commit(TESS, [draft("t/some")])
    (bad,) = catalog.reject(TESS, [draft("t/some")], "column a is missing")
    text = CliRunner().invoke(versions, ["some"]).output
    assert f"{good.id} *" in text
    assert text.index("refused by their checks") < text.index(bad.id)
    assert "column a is missing" in " ".join(text.split())


def test_an_asset_with_nothing_but_refused_versions_can_be_looked_at(catalog: Catalog) -> None:
    (bad,) = catalog.reject(TESS, [draft("t/some")], "column a is missing")
    found = json.loads(CliRunner().invoke(versions, ["some", "--json"]).output)
    assert [(item["id"], item["current"], item["rejected"]) for item in found] == [
        (bad.id, False, "column a is missing")
    ]
    shown = json.loads(CliRunner().invoke(show, [f"some@{bad.id}", "--json"]).output)
    assert shown["metadata"] == {"headrace/rejected": "column a is missing"}
