"""What dbt reads is what the namespace shows; what it writes is visible all at once, or not at all."""

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import SECONDS, InputVersion, Version
from platform_core.dbt.session import Model, Session
from platform_core.errors import CorruptVersionError, NotFoundError, PartitionError
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.settings import Settings
from platform_core.store.local import LocalStore
from platform_core.store.values import Target, write_version
from tests.platform_core.drafts import TESS

FACT = "source.headrace.flights.scheduled_flights"
CLEAN = Model("model.headrace.flights_clean", "flights/flights_clean", "aa1", "month", (FACT,))
DAYS = Model("model.headrace.route_days", "flights/route_days", "bb2", None, (CLEAN.unique_id,))


def months(*keys: str) -> pl.DataFrame:
    return pl.DataFrame({"month": list(keys)})


@pytest.fixture
def write(catalog: Catalog, store: LocalStore) -> Any:
    """Commits versions of the fact, one for each month."""

    def written(*keys: str, namespace: Namespace = TESS) -> list[Version]:
        target = [Target(namespace, "flights/scheduled_flights", key) for key in keys]
        return catalog.commit(namespace, [write_version(store, months(at.partition), at) for at in target])

    return written


@pytest.fixture
def session(settings: Settings) -> Session:
    """An invocation for January and February, in a run."""
    return Session(settings, ["jan", "feb"], "run-1", "flights_dbt")


def current(catalog: Catalog) -> set[tuple[str, str]]:
    return {(item.version.asset, item.version.partition) for item in catalog.current(TESS)}


# Reading


def read(files: list[Path]) -> list[str]:
    return pl.read_parquet(files)["month"].to_list()


def test_the_partitions_of_the_invocation_are_read(session: Session, write: Any) -> None:
    write("feb", "jan", "mar")
    assert read(session.resolve(FACT, "flights/scheduled_flights")) == ["jan", "feb"]


def test_an_invocation_without_partitions_reads_all_there_are(settings: Settings, write: Any) -> None:
    write("mar", "jan")
    files = Session(settings, [], "", "dbt").resolve(FACT, "flights/scheduled_flights")
    assert sorted(read(files)) == ["jan", "mar"]


def test_what_others_commit_after_a_run_started_is_not_read(session: Session, catalog: Catalog, write: Any) -> None:
    before = write("jan", "feb")
    catalog.as_of_run(TESS, "run-1")
    write("jan", "feb")
    files = session.resolve(FACT, "flights/scheduled_flights")
    assert {file.parent.name for file in files} == {version.id for version in before}


def test_an_invocation_in_no_run_reads_as_of_its_first_read(settings: Settings, write: Any) -> None:
    session = Session(settings, [], "", "dbt")
    before = write("jan")
    assert session.is_shown("flights/scheduled_flights")
    write("jan", "feb")
    files = session.resolve(FACT, "flights/scheduled_flights")
    assert {file.parent.name for file in files} == {version.id for version in before}


def test_an_asset_without_partitions_is_read_whole(session: Session, write: Any) -> None:
    write("")
    assert read(session.resolve(FACT, "flights/scheduled_flights")) == [""]


def test_production_is_read_where_the_namespace_has_nothing(session: Session, write: Any) -> None:
    write("jan", "feb", namespace=PRODUCTION)
    write("feb")
    assert len(session.resolve(FACT, "flights/scheduled_flights")) == 2


def test_a_missing_partition_is_named_with_the_command_that_makes_it(session: Session, write: Any) -> None:
    write("jan")
    with pytest.raises(NotFoundError, match=r"no version of feb in user/tess yet; run it first: headrace run .* feb"):
        session.resolve(FACT, "flights/scheduled_flights")


@pytest.mark.parametrize("partitions", [[], ["jan"]])
def test_an_asset_that_was_never_written_is_named(partitions: list[str], settings: Settings) -> None:
    with pytest.raises(NotFoundError, match=r"flights/x has no version .*in user/tess yet"):
        Session(settings, partitions, "", "dbt").resolve("model.x", "flights/x")


def test_a_damaged_file_is_not_given_to_dbt(session: Session, write: Any, store: LocalStore) -> None:
    (first, _) = write("jan", "feb")
    store.path(first.files[0].key).write_bytes(b"PAR1")
    with pytest.raises(CorruptVersionError, match="flights/scheduled_flights"):
        session.resolve(FACT, "flights/scheduled_flights")


def test_a_mapping_says_which_partitions_of_an_input_are_read(settings: Settings, write: Any) -> None:
    write("jan", "feb", "mar")
    session = Session(settings, ["feb"], "", "dbt", inputs={"flights/scheduled_flights": ["jan", "feb"]})
    assert read(session.resolve(FACT, "flights/scheduled_flights")) == ["jan", "feb"]


def test_a_model_goes_on_from_its_own_partitions_and_says_so(
    session: Session, settings: Settings, catalog: Catalog
) -> None:
    assert session.resume(CLEAN.unique_id, CLEAN.asset) == []
    session.stage(CLEAN, months("jan", "feb"))
    session.publish({})
    before = catalog.resolve(TESS, CLEAN.asset)

    again = Session(settings, ["feb"], "", "dbt")
    assert read(again.resume(CLEAN.unique_id, CLEAN.asset)) == ["feb"]
    again.stage(CLEAN, months("feb"))
    again.publish({})
    (own,) = catalog.resolve(TESS, CLEAN.asset)["feb"].version.provenance.inputs
    assert own.version == before["feb"].version.id


# Writing


def test_what_is_staged_is_written_and_not_visible(session: Session, catalog: Catalog) -> None:
    files = session.stage(CLEAN, months("jan", "feb", "jan"))
    assert [read([file]) for file in files] == [["jan", "jan"], ["feb"]]
    assert catalog.current(TESS) == []


def test_a_relation_of_duckdb_can_be_staged(session: Session) -> None:
    relation = import_module("duckdb").connect().sql("select unnest(['feb', 'jan']) as month")
    assert sorted(read(session.stage(CLEAN, relation))) == ["feb", "jan"]


def test_publishing_commits_all_that_was_staged_in_one_transaction(session: Session, catalog: Catalog) -> None:
    session.stage(CLEAN, months("jan", "feb"))
    session.stage(DAYS, months("jan"))
    receipts = session.publish({})
    assert current(catalog) == {
        ("flights/flights_clean", "jan"),
        ("flights/flights_clean", "feb"),
        ("flights/route_days", ""),
    }
    assert [transaction.kind for transaction in catalog.transactions(TESS)] == ["dbt"]
    assert [len(receipt.versions) for receipt in receipts] == [2, 1]
    assert catalog.version(receipts[1].versions[0]).asset == "flights/route_days"


def rejected(catalog: Catalog, asset: str) -> list[tuple[str, str | None]]:
    return [(item.partition, item.rejected) for item in catalog.unpublished(TESS, asset)]


def test_a_model_that_was_refused_is_kept_and_seen_by_nobody(
    session: Session, catalog: Catalog, store: LocalStore
) -> None:
    session.stage(Model("model.x", "flights/x", "cc3", None, ()), months("jan"))
    files = session.stage(CLEAN, months("jan", "feb"))
    receipts = session.publish({CLEAN.unique_id: "its test failed"})
    assert current(catalog) == {("flights/x", "")}
    assert all(file.exists() for file in files)
    sentence = "flights/flights_clean was not published: its test failed"
    assert sorted(rejected(catalog, CLEAN.asset)) == [("feb", sentence), ("jan", sentence)]
    assert [(receipt.asset, len(receipt.versions), receipt.refused) for receipt in receipts] == [
        ("flights/x", 1, None),
        (CLEAN.asset, 2, sentence),
    ]


def test_what_was_computed_from_what_was_refused_is_refused_too(session: Session, catalog: Catalog) -> None:
    session.stage(CLEAN, months("jan", "feb"))
    session.stage(DAYS, months("jan"))
    session.publish({CLEAN.unique_id: "its test failed"})
    assert current(catalog) == set()
    ((_, sentence),) = rejected(catalog, DAYS.asset)
    assert sentence == "flights/route_days was not published: it was computed from flights/flights_clean, which was not"


def test_where_every_model_was_refused_nothing_is_committed(session: Session, catalog: Catalog) -> None:
    session.stage(DAYS, months("jan"))
    session.publish({DAYS.unique_id: "its test failed"})
    assert {transaction.kind for transaction in catalog.transactions(TESS)} == {"reject"}


def test_publishing_again_commits_nothing_again(session: Session, catalog: Catalog) -> None:
    session.stage(DAYS, months("jan"))
    session.publish({})
    assert session.publish({}) == []
    assert len(catalog.transactions(TESS)) == 1


def test_a_model_knows_where_it_came_from(session: Session, catalog: Catalog, write: Any) -> None:
    write("jan", "feb", namespace=PRODUCTION)
    session.resolve(FACT, "flights/scheduled_flights")
    session.stage(CLEAN, months("jan", "feb"))
    session.stage(DAYS, months("jan"))
    session.publish({})
    clean = catalog.resolve(TESS, "flights/flights_clean")["jan"].version.provenance
    days = catalog.resolve(TESS, "flights/route_days")[""].version.provenance
    assert (clean.run_id, clean.step, clean.code_version) == ("run-1", "flights_dbt", "aa1")
    assert days.code_version == "bb2"
    assert {(item.asset, item.partition, item.namespace) for item in clean.inputs} == {
        ("flights/scheduled_flights", "jan", "production")
    }
    assert {item.version for item in days.inputs} == {
        item.version.id for item in catalog.resolve(TESS, "flights/flights_clean").values()
    }
    assert all(isinstance(item, InputVersion) for item in days.inputs)


def test_a_partition_without_rows_is_refused(session: Session) -> None:
    with pytest.raises(PartitionError, match="flights/flights_clean has no row for feb: look at what it reads"):
        session.stage(CLEAN, months("jan"))


def test_rows_of_another_partition_are_refused(session: Session) -> None:
    with pytest.raises(PartitionError, match="was asked for jan, feb but has rows of mar"):
        session.stage(CLEAN, months("jan", "feb", "mar"))


def test_an_invocation_without_partitions_writes_those_it_finds(settings: Settings, catalog: Catalog) -> None:
    session = Session(settings, [], "", "dbt")
    session.stage(CLEAN, months("x", "y"))
    session.publish({})
    assert current(catalog) == {("flights/flights_clean", "x"), ("flights/flights_clean", "y")}


# What the process was told


def test_a_step_tells_partitions_and_run_by_variables(
    write: Any, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_DBT_PARTITIONS", json.dumps(["feb"]))
    monkeypatch.setenv("HEADRACE_DBT_RUN", json.dumps(["run-7", "flights_dbt"]))
    write("jan", "feb")
    session = Session.from_environment()
    assert read(session.resolve(FACT, "flights/scheduled_flights")) == ["feb"]
    session.stage(CLEAN, months("feb"))
    session.publish({})
    assert catalog.resolve(TESS, CLEAN.asset)["feb"].version.provenance.run_id == "run-7"


def test_on_the_command_line_dbt_is_in_no_run(write: Any) -> None:
    write("jan", "feb")
    assert len(Session.from_environment().resolve(FACT, "flights/scheduled_flights")) == 2


def test_versions_keep_which_columns_are_sensitive_and_what_they_took(session: Session, catalog: Catalog) -> None:
    session.stage(replace(DAYS, reads=(), sensitive=("month",)), months("jan"))
    session.publish({})
    (found,) = [item.version for item in catalog.current(TESS)]
    assert found.sensitive == {"month"}
    assert found.metadata[SECONDS] >= 0


def test_each_month_knows_what_it_was_computed_from(session: Session, catalog: Catalog, write: Any) -> None:
    facts = {version.partition: version.id for version in write("jan", "feb")}
    session.resolve(FACT, "flights/scheduled_flights")
    session.stage(CLEAN, months("jan", "feb"))
    session.publish({})
    made = catalog.resolve(TESS, "flights/flights_clean")
    read = {key: [item.version for item in shown.version.provenance.inputs] for key, shown in made.items()}
    assert read == {key: [version] for key, version in facts.items()}
