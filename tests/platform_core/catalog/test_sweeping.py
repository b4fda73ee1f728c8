"""Sweeps in the catalog: a trial and its version are one transaction, which no ref shows and no second one repeats."""

import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.searching import Search
from platform_core.catalog.sweep_values import Sweep, Trial
from platform_core.catalog.values import NUMBER, SWEEP, TRIAL
from platform_core.errors import NotFoundError
from platform_core.namespaces import PRODUCTION
from tests.platform_core.drafts import TESS, draft

ASKED = Sweep("sweep-20261121-101010-abc123", "user/tess", "t/m", "", {"count": 3, "metric": "auc"})


@pytest.fixture
def begun(catalog: Catalog) -> Catalog:
    catalog.begin_sweep(TESS, ASKED)
    return catalog


def test_a_trial_is_kept_with_its_version_which_is_nobodys_current_one(begun: Catalog) -> None:
    told = Trial(ASKED.id, 2, "done", {"depth": 4}, 0.5, {"auc": 0.7}, ((0, 0.5), (1, 0.7)))
    kept = begun.end_trial(TESS, told, draft("t/m"))
    assert begun.trials(ASKED.id) == [kept]
    assert begun.resolve(TESS, "t/m") == {}
    (version,) = begun.search(TESS, Search("t/m", conditions=(begun.of_sweep("abc123"),)))
    assert (version.id, version.metadata[TRIAL]) == (kept.version, "sweep")
    assert (version.metadata[SWEEP], version.metadata[NUMBER]) == (ASKED.id, 2)


def test_a_trial_ends_once_and_a_failed_one_has_no_version(begun: Catalog) -> None:
    begun.end_trial(TESS, Trial(ASKED.id, 3, "failed", sentence="It raised."))
    begun.end_trial(TESS, Trial(ASKED.id, 3, "done"), draft("t/m"))
    begun.end_trial(TESS, Trial(ASKED.id, 1, "done"), draft("t/m"))
    assert [(trial.number, trial.state) for trial in begun.trials(ASKED.id)] == [(1, "done"), (3, "failed")]
    assert len(begun.search(TESS, Search("t/m"))) == 1
    assert begun.ended_trials(ASKED.id) == {1, 3}


def test_a_sweep_is_found_by_a_part_of_its_id_and_listed_where_it_is_seen(begun: Catalog) -> None:
    assert begun.sweep("abc123") == begun.sweep(ASKED.id) == ASKED
    assert begun.sweeps(TESS) == begun.sweeps(TESS, "t/m") == [ASKED]
    assert begun.sweeps(PRODUCTION) == begun.sweeps(TESS, "t/other") == []
    with pytest.raises(NotFoundError, match=r"There is no sweep 'zzz'; `headrace sweep --list` shows"):
        begun.sweep("zzz")
