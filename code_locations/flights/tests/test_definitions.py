"""The location as a whole: it loads anywhere, and it is wired as its parts say."""

import os
import subprocess
import sys
from pathlib import Path

from code_locations.flights.definitions import defs
from platform_core.layers import LAYER_TAG

OFFLINE = """
import socket
def refuse(*_): raise AssertionError("the location opened a connection while it was loaded")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
import code_locations.flights.definitions as location
print(len(list(location.defs.resolve_all_asset_specs())))
"""


def test_it_loads_without_network_credentials_and_services(tmp_path: Path) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    bare = {**kept, "HOME": str(tmp_path), "HEADRACE_HOME": str(tmp_path / "headrace")}
    done = subprocess.run([sys.executable, "-c", OFFLINE], env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) == len(list(defs.resolve_all_asset_specs()))


def test_every_asset_has_a_layer_an_owner_and_a_description() -> None:
    for spec in defs.resolve_all_asset_specs():
        assert spec.tags[LAYER_TAG] in ("fact", "feature", "model", "prediction"), spec.key
        assert spec.owners == ["team:flight-operations"], spec.key
        assert spec.description, spec.key


def test_lineage_runs_from_python_through_sql_to_python() -> None:
    reads = {
        spec.key.path[-1]: {dep.asset_key.path[-1] for dep in spec.deps} for spec in defs.resolve_all_asset_specs()
    }
    assert reads["flights_clean"] == {"scheduled_flights"}
    assert reads["route_days"] == {"flights_clean"}
    assert reads["departure_features"] == {"flights_clean", "weather", "planes", "route_days"}
    assert reads["aircraft_months"] == {"flights_clean", "planes"}
    assert reads["delay_model"] == {"departure_features"}
    assert reads["delay_predictions"] == {"delay_model", "departure_features"}


def test_tests_of_dbt_are_checks_of_its_models() -> None:
    checks = {(key.asset_key.path[-1], key.name) for key in defs.resolve_asset_graph().asset_check_keys}
    assert ("flights_clean", "unique_flights_clean_flight_id") in checks
    assert ("route_days", "not_null_route_days_late_share") in checks
    assert ("weather", "schema") in checks
