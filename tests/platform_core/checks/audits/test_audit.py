"""What every audit gets, and what becomes of its judgement."""

from typing import Any

import dagster as dg
import polars as pl
import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.checks.audits.audit import Subject, result_of, spec_of
from platform_core.errors import CheckError
from platform_core.store.local import LocalStore
from tests.platform_core.auditing.test_guard import Says
from tests.platform_core.drafts import TESS

KEY = dg.AssetKey(["t", "some"])


@pytest.fixture
def subject(catalog: Catalog, store: LocalStore) -> Subject:
    frame = pl.DataFrame({"a": [1]})
    inputs: dict[str, Any] = {"lazy": frame.lazy(), "stream": frame.to_arrow().to_reader(), "model": {"x": 1}}
    return Subject("t/some", TESS, {"x": 1}, len, catalog, store, inputs=inputs)


def test_only_what_can_be_read_twice_is_a_table(subject: Subject) -> None:
    assert subject.table("lazy").height == subject.table("lazy").height == 1
    for name in ("stream", "model"):
        with pytest.raises(CheckError, match=f"reads {name} as something that cannot be read twice"):
            subject.table(name)
    with pytest.raises(CheckError, match="t/some has no parameter other"):
        subject.table("other")


def test_an_object_is_no_frame(subject: Subject) -> None:
    with pytest.raises(CheckError, match="t/some is no table"):
        _ = subject.frame


@pytest.mark.parametrize(("blocking", "severity"), [(True, "ERROR"), (False, "WARN")])
def test_a_judgement_becomes_a_result(blocking: bool, severity: str, subject: Subject) -> None:
    audit = Says(False, blocking=blocking)
    assert spec_of(audit, KEY).blocking == blocking
    result = result_of(audit, KEY, subject)
    assert (result.passed, result.severity.value, result.description) == (False, severity, "it is not right")
