"""What a backend is asked to do: needs, variables, secrets and labels of one step."""

import time
from collections.abc import Iterator

import dagster as dg
import pytest

from platform_core.compute.attempts import Attempt, Order
from platform_core.compute.orders import EXPIRY, labels_of, make_order, name_of
from platform_core.compute.placement import Placement
from platform_core.compute.profiles import Profile
from platform_core.compute.spec import BackendName, Compute
from platform_core.compute.worker import TIMEOUT_VARIABLE, unpack
from platform_core.instance_settings import PASSWORD, URL
from platform_core.orchestrator.steps import asset_nodes_of
from platform_core.provenance import PRICE
from platform_core.settings import Settings, current_settings
from tests.platform_core.compute.doubles import handed, step_of

ATTEMPT = Attempt("run", "flights")


def made(backend: BackendName, profile: Profile | None = None, **said: str) -> Order:
    placement = Placement(backend, Compute(**said), profile or Profile(), "so")  # type: ignore[arg-type]
    return make_order(ATTEMPT, placement, "the payload", {"asset": "t/flights"}, current_settings())


def test_a_step_here_finds_its_settings_already_and_gets_a_folder() -> None:
    order = made("local")
    assert order.payload == "the payload"
    assert order.variables == {"DAGSTER_RUN_STEP_KEY": "flights"}
    assert order.secrets == {}
    assert order.folder == current_settings().dagster_home / "steps" / "run"
    assert order.folder.is_dir()


def test_a_step_elsewhere_is_told_where_everything_is(settings: Settings) -> None:
    order = made("batch", timeout="2h")
    assert unpack(order.payload) == "the payload"
    assert order.folder is None
    assert order.variables["HEADRACE_NAMESPACE"] == "user/tess"
    assert order.variables["HEADRACE_STORE"] == settings.store
    assert order.variables["HEADRACE_CATALOG"] == settings.catalog
    assert order.variables[TIMEOUT_VARIABLE] == "7200.0"
    assert TIMEOUT_VARIABLE not in made("batch").variables


def test_what_libraries_ask_of_their_machine_goes_along_and_keys_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    order = made("batch")
    assert order.variables["AWS_DEFAULT_REGION"] == "eu-central-1"
    assert "hidden" not in str(order)


def test_a_password_in_the_catalogs_address_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_CATALOG", "postgresql://tess:hidden@db/headrace")
    order = made("kubernetes")
    assert "HEADRACE_CATALOG" not in order.variables
    assert order.secrets == {"HEADRACE_CATALOG": ""}
    assert "hidden" not in str(order)


def test_a_step_elsewhere_finds_dagsters_storage_in_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL, "postgresql://tess@db/headrace")
    assert made("kubernetes").variables[URL] == "postgresql://tess@db/headrace"
    monkeypatch.setenv(URL, "postgresql://tess:hidden@db/headrace")
    monkeypatch.setenv(PASSWORD, "hidden")
    order = made("kubernetes")
    assert order.secrets == {URL: "", PASSWORD: ""}
    assert "hidden" not in str(order)


def test_a_profiles_secret_hides_a_variable_of_the_same_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_CATALOG", "postgresql://tess:hidden@db/headrace")
    order = made("kubernetes", Profile(secrets={"HEADRACE_CATALOG": "db/url", "HEADRACE_STORE": "s3/store"}))
    assert order.secrets == {"HEADRACE_CATALOG": "db/url", "HEADRACE_STORE": "s3/store"}
    assert not set(order.secrets) & set(order.variables)


def test_what_is_made_for_a_step_expires() -> None:
    labels = made("batch").labels
    assert labels["asset"] == "t/flights"
    assert 0 <= time.time() + EXPIRY - int(labels["expires"]) < 60


@dg.multi_asset(
    specs=[dg.AssetSpec(["t", name], owners=[f"team:{owner}"]) for name, owner in zip("abcd", "xyxy", strict=True)]
)
def several() -> Iterator[dg.MaterializeResult]:
    yield from ()


def test_labels_name_who_what_and_where(settings: Settings) -> None:
    labels = handed(
        lambda context, plan: labels_of(
            context.dagster_run, "several", asset_nodes_of(context, step_of(plan, several)), settings
        ),
        several,
    )
    run = labels.pop("run")
    assert len(run) == 36
    assert labels == {
        "namespace": "user/tess",
        "owner": "team:x,team:y",
        "location": "t",
        "asset": "t/a, t/b, t/c, ...",
    }


def test_a_step_that_materialises_nothing_has_its_own_name() -> None:
    assert name_of("audit", []) == "audit"


def test_a_step_knows_what_an_hour_of_it_costs() -> None:
    profile = Profile(price_per_cpu_hour=0.5, price_per_gpu_hour=2)
    placement = Placement("local", Compute(cpu=4, gpu=1), profile, "so")
    order = make_order(ATTEMPT, placement, "the payload", {"asset": "t/flights"}, current_settings())
    assert order.variables[PRICE] == "4"
    assert PRICE not in made("local").variables


@pytest.mark.parametrize("backend", ["local", "container", "kubernetes", "batch"])
def test_a_step_anywhere_is_part_of_the_trace_and_names_itself_in_logs(
    backend: BackendName, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "HEADRACE_TRACES": "http://collector:4318", "OTEL_EXPORTER_OTLP_HEADERS": "key=canary",
        "HEADRACE_LOGS": "json", "HEADRACE_PROMOTION_SECRET": "canary", "HEADRACE_METRICS_TOKEN": "canary",
        "HEADRACE_CATALOG": "postgresql://tess:canary@db/headrace",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    order = made(backend)
    assert order.variables["TRACEPARENT"].startswith("00-")
    assert (order.variables["HEADRACE_LOGS"], order.variables["HEADRACE_LOG_ASSET"]) == ("json", "t/flights")
    assert "canary" not in str(order)
    assert ("HEADRACE_TRACES" in order.variables) == (backend != "local")
    assert ("OTEL_EXPORTER_OTLP_HEADERS" in order.secrets) == (backend in ("container", "kubernetes"))
