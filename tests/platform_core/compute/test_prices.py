"""What an hour of a step costs: the narrowest price that there is."""

import json

import pytest

from platform_core.compute.placement import Placement
from platform_core.compute.prices import price_per_hour
from platform_core.compute.profiles import Profile
from platform_core.compute.spec import BackendName, Compute
from platform_core.errors import SettingsError

TABLE = {
    "default": {"cpu": 0.04, "memory": 0.005},
    "batch": {"cpu": 0.02, "memory": 0.002, "gpu": 1.5},
    "gpu": {"cpu": 0.05, "gpu": 3},
}
IN_CODE = Profile(price_per_cpu_hour=1.0)


def price(compute: Compute, backend: BackendName = "local", profile: Profile | None = None) -> float | None:
    return price_per_hour(Placement(backend, compute, profile or Profile(), "so"))


def test_processors_memory_and_gpus_by_profile_backend_or_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_PRICES", json.dumps(TABLE))
    needs = Compute(cpu=4, memory="8GiB", gpu=2)
    assert price(needs) == pytest.approx(4 * 0.04 + 8 * 0.005)
    assert price(needs, "batch") == pytest.approx(4 * 0.02 + 8 * 0.002 + 2 * 1.5)
    assert price(Compute(cpu=4, gpu=2, profile="gpu"), "batch") == pytest.approx(4 * 0.05 + 2 * 3)
    assert price(Compute(cpu=4)) == pytest.approx(4 * 0.04)  # nobody knows how much memory it is


def test_a_price_in_code_counts_before_those_of_backends(monkeypatch: pytest.MonkeyPatch) -> None:
    assert price(Compute(cpu=2)) is None
    assert price(Compute(cpu=2), profile=IN_CODE) == 2
    monkeypatch.setenv("HEADRACE_PRICES", json.dumps(TABLE))
    assert price(Compute(cpu=2), profile=IN_CODE) == 2
    assert price(Compute(cpu=2, profile="gpu"), profile=IN_CODE) == pytest.approx(0.1)


@pytest.mark.parametrize("table", ['{"default": {"cpus": 1}}', '{"default": {"cpu": -1}}', '{"default": 1}'])
def test_a_table_that_cannot_be_meant_is_refused(monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    monkeypatch.setenv("HEADRACE_PRICES", table)
    with pytest.raises(SettingsError, match="HEADRACE_PRICES"):
        price(Compute())
