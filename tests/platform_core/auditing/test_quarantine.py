"""Bad rows are set aside with their reason and never lost; good ones flow on."""

from typing import Any

import dagster as dg
import pandera.polars as pa
import polars as pl
import pytest

from platform_core import fact
from platform_core.auditing.quarantine import quarantines
from platform_core.catalog.catalog import Catalog
from platform_core.checks.rules import REASON
from platform_core.errors import DefinitionError
from platform_core.store.local import LocalStore
from platform_core.store.values import read_versions
from tests.platform_core.drafts import TESS
from tests.platform_core.runs import run, sentence

MONTHS = dg.StaticPartitionsDefinition(["jan", "feb"])


class Rows(pa.DataFrameModel):
    id: int = pa.Field(unique=True)
    a: int = pa.Field(ge=0)

    class Config:
        strict = True


FRAME = pl.DataFrame({"id": [1, 2, 3, 3], "a": [1, -2, 3, 4]})


def asset(returned: Any, quarantine: Any = True, annotation: Any = pl.DataFrame) -> dg.AssetsDefinition:
    def some() -> Any:
        return returned

    some.__annotations__ = {"return": annotation}
    return fact(key_prefix="t", schema=Rows, quarantine=quarantine)(some)


@pytest.mark.parametrize(
    ("returned", "annotation"), [(FRAME, pl.DataFrame), (FRAME.lazy(), pl.LazyFrame), (FRAME.to_arrow(), Any)]
)
def test_bad_rows_go_to_the_sibling_with_the_reason(
    returned: Any, annotation: Any, catalog: Catalog, store: LocalStore
) -> None:
    result = run(asset(returned, annotation=annotation))
    assert result.success
    good = read_versions(store, [catalog.resolve(TESS, "t/some")[""].version])
    bad = read_versions(store, [catalog.resolve(TESS, "t/some_quarantine")[""].version])
    assert good["id"].to_list() == [1]
    assert bad.select("id", REASON).rows() == [
        (2, "a breaks greater_than_or_equal_to(0)"),
        (3, "id breaks field_uniqueness"),
        (3, "id breaks field_uniqueness"),
    ]
    shape = next(item for item in result.get_asset_check_evaluations() if item.check_name == "schema")
    assert shape.passed
    assert shape.description == "3 of 4 rows went to t/some_quarantine"


def test_the_sibling_is_emptied_when_all_is_well_again(catalog: Catalog) -> None:
    assert run(asset(FRAME)).success
    assert run(asset(FRAME.head(1))).success
    assert catalog.resolve(TESS, "t/some_quarantine")[""].version.rows == 0


def test_beyond_the_share_nothing_is_set_aside_and_nothing_published(catalog: Catalog) -> None:
    assert "breaks greater_than_or_equal_to(0)" in sentence(run(asset(FRAME, quarantine=0.5)))
    assert catalog.current(TESS) == []


def test_a_wrong_shape_is_nothing_that_a_quarantine_could_mend(catalog: Catalog) -> None:
    assert "column extra is not in the schema" in sentence(run(asset(FRAME.head(1).with_columns(extra=1))))
    assert "t/some" not in {item.version.asset for item in catalog.current(TESS)}


def test_when_every_row_is_bad_nothing_is_published_and_all_is_kept(catalog: Catalog) -> None:
    assert "the table has no rows" in sentence(run(asset(FRAME.filter(pl.col("id") == 3))))
    assert [item.version.asset for item in catalog.current(TESS)] == ["t/some_quarantine"]


def test_each_partition_has_its_own(catalog: Catalog) -> None:
    class ByMonth(pa.DataFrameModel):
        month: str
        a: int = pa.Field(ge=0)

    @fact(key_prefix="t", schema=ByMonth, quarantine=True, partitions_def=MONTHS, partition_by="month")
    def some() -> pl.DataFrame:
        return pl.DataFrame({"month": ["jan", "jan", "feb"], "a": [1, -1, 1]})

    assert run(some, of="jan..feb").success
    rows = {key: item.version.rows for key, item in catalog.resolve(TESS, "t/some_quarantine").items()}
    assert rows == {"jan": 1, "feb": 0}


def test_the_sibling_is_an_asset_of_the_location() -> None:
    (spec,) = quarantines([asset(FRAME)])
    assert spec.key.to_user_string() == "t/some_quarantine"
    assert [dep.asset_key.to_user_string() for dep in spec.deps] == ["t/some"]


@pytest.mark.parametrize("schema", [None, pa.DataFrameSchema({"a": pa.Column(int, coerce=True)})])
def test_a_quarantine_needs_a_schema_that_says_what_goes_there(schema: Any) -> None:
    with pytest.raises(DefinitionError, match="t/some has a quarantine but no schema for polars"):
        _declare(schema)


def _declare(schema: Any) -> Any:
    @fact(key_prefix="t", schema=schema, quarantine=True)
    def some() -> pl.DataFrame:
        return FRAME

    return some
