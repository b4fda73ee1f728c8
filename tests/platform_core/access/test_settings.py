"""Settings that would let in too many are refused."""

import json
from pathlib import Path

import pytest

from platform_core.access.settings import AccessSettings, access_settings
from platform_core.errors import SettingsError

OIDC = {
    "HEADRACE_ACCESS": "oidc",
    "HEADRACE_ACCESS_ISSUER": "https://idp.test",
    "HEADRACE_ACCESS_AUDIENCE": "headrace",
    "HEADRACE_ACCESS_KEYS": "https://idp.test/keys",
}


@pytest.fixture(autouse=True)
def _read_again():
    access_settings.cache_clear()


def set_all(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_the_embedded_default_is_this_machine_alone():
    assert access_settings().access == "local"
    access_settings().require_host("127.0.0.1")
    access_settings().require_host("::1")
    for host in ("0.0.0.0", "::", "192.168.0.7", "ui.example.com"):
        with pytest.raises(SettingsError, match="HEADRACE_ACCESS=oidc"):
            access_settings().require_host(host)


def test_oidc_may_listen_anywhere(monkeypatch: pytest.MonkeyPatch):
    roles = json.dumps({"pilots": ["team:flight-operations", "production"]})
    set_all(monkeypatch, **OIDC, HEADRACE_ACCESS_ROLES=roles)
    access_settings().require_host("0.0.0.0")
    assert access_settings().access_roles == {"pilots": ("team:flight-operations", "production")}


@pytest.mark.parametrize("missing", list(OIDC)[1:])
def test_oidc_names_what_it_lacks(monkeypatch: pytest.MonkeyPatch, missing: str):
    set_all(monkeypatch, **{**OIDC, missing: ""})
    with pytest.raises(SettingsError, match=missing):
        access_settings()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HEADRACE_ACCESS", "none", "HEADRACE_ACCESS cannot be used"),
        ("HEADRACE_ACCESS_ALGORITHMS", '["HS256"]', "no private key"),
        ("HEADRACE_ACCESS_ALGORITHMS", '["none"]', "no private key"),
        ("HEADRACE_ACCESS_ROLES", '{"a": ["root"]}', "no roles"),
        ("HEADRACE_ACCESS_ROLES", '{"a": ["team:"]}', "no roles"),
        ("HEADRACE_ACCESS_KEYS", "http://idp.test/keys", "https"),
    ],
)
def test_settings_that_let_in_too_many_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str):
    set_all(monkeypatch, **{**OIDC, name: value})
    with pytest.raises(SettingsError, match=said):
        access_settings()


def test_decisions_go_to_a_file_on_a_laptop_and_to_the_log_of_a_server(tmp_path: Path):
    assert AccessSettings().log_in(tmp_path) == str(tmp_path / "logs" / "access.jsonl")
    assert AccessSettings(access_log="-").log_in(tmp_path) == "-"
    server = AccessSettings(access="oidc", access_issuer="i", access_audience="a", access_keys="k")
    assert server.log_in(tmp_path) == "-"


def test_variables_of_others_do_not_matter():
    assert AccessSettings(unknown="x").access == "local"  # type: ignore[call-arg]
