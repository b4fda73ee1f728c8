"""Settings have defaults that need no service, follow their variables, and refuse in one sentence."""

import re
from pathlib import Path

import pytest

from platform_core.errors import SettingsError
from platform_core.settings import current_settings, find_repository, login

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "NAMESPACE"):
        monkeypatch.delenv(f"HEADRACE_{name}")
    monkeypatch.setattr("getpass.getuser", lambda: "Tess.O'Hara")


@pytest.mark.usefixtures("unset")
def test_production_is_never_the_default() -> None:
    assert current_settings().writes_to.kind == "user"
    assert current_settings().namespace.startswith("user/tess-o-hara--")


@pytest.mark.usefixtures("unset")
@pytest.mark.parametrize("login", ["production", "branch/x", "", "root"])
def test_no_login_makes_production_the_default(login: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: login)
    assert current_settings().writes_to.kind == "user"


def test_a_user_without_a_name_is_known_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs under a number of which its list of users knows nothing."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 987_654_321)
    assert login() == "uid-987654321"
    monkeypatch.delenv("HEADRACE_NAMESPACE")
    assert current_settings().namespace == "user/uid-987654321"
    monkeypatch.setenv("USER", "ada")
    assert login() == "ada"
    monkeypatch.setenv("LOGNAME", "tess")
    assert login() == "tess"


@pytest.mark.usefixtures("unset")
def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_NAMESPACE", "")
    assert current_settings().writes_to.kind == "user"


@pytest.mark.usefixtures("unset")
def test_local_state_lies_in_the_repository_by_default() -> None:
    assert current_settings().home == REPOSITORY / ".headrace"


def test_everything_local_follows_the_home(tmp_path: Path) -> None:
    settings, home = current_settings(), tmp_path / "home"
    assert settings.store == str(home / "store")
    assert settings.catalog == f"sqlite:///{home}/catalog.db"
    assert settings.sources == home / "sources"
    assert settings.dagster_home == home / "dagster" / "user-tess"


def test_a_changed_variable_is_seen_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_NAMESPACE", "branch/x")
    assert str(current_settings().writes_to) == "branch/x"
    monkeypatch.setenv("HEADRACE_NAMESPACE", "production")
    assert current_settings().writes_to.is_production


def test_settings_are_read_once_while_nothing_changes() -> None:
    assert current_settings() is current_settings()


def test_a_bad_namespace_is_one_sentence_that_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_NAMESPACE", "prod")
    with pytest.raises(SettingsError) as refused:
        current_settings()
    assert str(refused.value).startswith("HEADRACE_NAMESPACE cannot be used: 'prod' is not a namespace: use production")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["HOME", "STORE", "SOURCES"])
def test_a_relative_path_counts_from_the_repository(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(tmp_path))
    monkeypatch.setenv(f"HEADRACE_{name}", "down/here")
    monkeypatch.chdir("/")
    assert Path(getattr(current_settings(), name.lower())) == tmp_path / "down" / "here"


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("sqlite:///down/c.db", "sqlite:///{root}/down/c.db"),
        ("sqlite+pysqlite:///c.db?timeout=3", "sqlite+pysqlite:///{root}/c.db?timeout=3"),
        ("sqlite:///file:c.db?mode=ro&uri=true", "sqlite:///file:{root}/c.db?mode=ro&uri=true"),
        ("sqlite:////abs/c.db", "sqlite:////abs/c.db"),
        ("sqlite:///file:/abs/c.db?uri=true", "sqlite:///file:/abs/c.db?uri=true"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("sqlite:///file::memory:?cache=shared&uri=true", "sqlite:///file::memory:?cache=shared&uri=true"),
        ("sqlite://", "sqlite://"),
        ("postgresql://me@host/database", "postgresql://me@host/database"),
    ],
)
def test_the_relative_file_of_a_catalog_counts_from_the_repository(
    url: str, meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(tmp_path))
    monkeypatch.setenv("HEADRACE_CATALOG", url)
    monkeypatch.chdir("/")
    assert current_settings().catalog == meant.format(root=tmp_path)


def test_a_tilde_is_the_persons_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HEADRACE_STORE", "~/store")
    assert current_settings().store == str(tmp_path / "store")


def test_the_url_of_a_store_is_no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_STORE", "s3://bucket/prefix")
    assert current_settings().store == "s3://bucket/prefix"


def test_the_repository_is_found_from_any_folder_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / "code_locations" / "flights"
    deep.mkdir(parents=True)
    (tmp_path / "workspace.yaml").touch()
    monkeypatch.chdir(deep)
    assert find_repository() == tmp_path


def test_outside_of_any_repository_it_is_the_one_of_this_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_repository() == REPOSITORY


def test_every_setting_has_a_description() -> None:
    fields = type(current_settings()).model_fields
    assert [name for name, field in fields.items() if not re.fullmatch(r".+\.", field.description or "")] == []
