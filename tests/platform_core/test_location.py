"""A location is put together from modules, and refused with names where it does not hold."""

from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg
import polars as pl
import pytest

from platform_core import build_location, fact, feature, model, prediction
from platform_core.catalog.catalog import Catalog
from platform_core.compute.placement import ComputeTable
from platform_core.compute.profiles import Limits, Profile
from platform_core.compute.spec import Compute
from platform_core.errors import DefinitionError, FrozenError
from platform_core.io_manager import HeadraceIOManager
from platform_core.location import check_layering, location_owner
from tests.platform_core.drafts import TESS
from tests.platform_core.environments.support.fixtures import index, repository, uv_cache
from tests.platform_core.environments.support.toys import Repository
from tests.platform_core.runs import QUIET, instance, sentence

__all__ = ["index", "repository", "uv_cache"]


@fact(key_prefix="t")
def weather() -> pl.DataFrame:
    return pl.DataFrame({"a": [1]})


@feature(key_prefix="t")
def climate(weather: pl.DataFrame) -> pl.DataFrame:
    return weather


@prediction(key_prefix="t")
def forecast(climate: pl.DataFrame) -> pl.DataFrame:
    return climate


@pytest.fixture
def module(tmp_path: Path) -> ModuleType:
    """An empty module of a location that team:weather owns."""
    (tmp_path / "pyproject.toml").write_text('[tool.headrace]\nowner = "team:weather"\n')
    made = ModuleType("facts")
    made.__file__ = str(tmp_path / "facts.py")
    return made


def located(module: ModuleType, *assets: Any, **given: Any) -> dg.Definitions:
    for number, asset in enumerate(assets):
        setattr(module, f"asset_{number}", asset)
    given = {"compute": ComputeTable(), **given}
    return build_location("t", [module], resources={"io_manager": HeadraceIOManager()}, **given)


def refusal(module: ModuleType, *assets: Any, **given: Any) -> str:
    with pytest.raises(DefinitionError) as error:
        located(module, *assets, **given)
    return str(error.value)


def test_assets_resources_and_the_automation_sensor_are_put_together(module: ModuleType) -> None:
    definitions = located(module, weather, climate, forecast)
    graph = definitions.resolve_asset_graph()
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == {"t/weather", "t/climate", "t/forecast"}
    assert [sensor.name for sensor in definitions.get_repository_def().sensor_defs] == ["t_automation"]
    dg.Definitions.validate_loadable(definitions)


def test_every_asset_is_owned_by_the_owner_of_the_location(module: ModuleType) -> None:
    @fact(key_prefix="t", owners=["team:planes"])
    def planes() -> None: ...

    graph = located(module, weather, planes).resolve_asset_graph()
    assert graph.get(weather.key).owners == ["team:weather"]
    assert graph.get(planes.key).owners == ["team:planes"]


def test_checks_of_a_module_belong_to_the_location(module: ModuleType) -> None:
    @dg.asset_check(asset=weather)
    def is_plausible() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    (check,) = located(module, weather, is_plausible).resolve_asset_graph().asset_check_keys
    assert (check.asset_key, check.name) == (weather.key, "is_plausible")


def test_a_blocking_check_of_a_module_keeps_its_asset_from_being_published(
    module: ModuleType, catalog: Catalog
) -> None:
    @dg.asset_check(asset=weather, blocking=True)
    def is_plausible(weather: pl.DataFrame) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False, description="it is not")

    definitions = located(module, weather, climate, is_plausible)
    (check,) = definitions.resolve_asset_graph().asset_check_keys
    assert (check.asset_key, check.name) == (weather.key, "is_plausible")
    job = definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(run_config=QUIET, instance=instance(), raise_on_error=False)
    assert sentence(result).startswith("t/weather was not published: it is not.")
    assert [event.step_key for event in result.all_events if event.is_step_start] == ["t__weather"]
    assert catalog.current(TESS) == []
    assert [kept.rejected for kept in catalog.unpublished(TESS, "t/weather")] == [
        "t/weather was not published: it is not"
    ]


def test_a_blocking_check_that_would_come_too_late_is_refused(module: ModuleType) -> None:
    @dg.asset_check(asset=weather, blocking=True)
    def is_plausible() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    assert refusal(module, weather, is_plausible).startswith(
        "The blocking check is_plausible of t/weather cannot be made"
    )


def test_schedules_and_sensors_are_taken_over(module: ModuleType) -> None:
    @dg.sensor(name="by_hand", target=weather)
    def by_hand() -> None: ...

    nightly = dg.ScheduleDefinition("nightly", target=weather, cron_schedule="0 0 * * *")
    repository = located(module, weather, schedules=[nightly], sensors=[by_hand]).get_repository_def()
    assert [schedule.name for schedule in repository.schedule_defs] == ["nightly"]
    assert {sensor.name for sensor in repository.sensor_defs} == {"by_hand", "t_automation"}


def test_a_misspelt_upstream_is_refused_with_a_suggestion(module: ModuleType) -> None:
    @feature(key_prefix="t")
    def climate(wether: pl.DataFrame) -> None: ...

    told = refusal(module, weather, climate)
    assert told.startswith("t/climate reads t/wether, which no asset of this location is called.")
    assert " Did you mean t/weather?" in told


def test_a_misspelt_dependency_without_a_value_is_refused_too(module: ModuleType) -> None:
    @feature(key_prefix="t", deps=[dg.AssetKey(["t", "wether"])])
    def climate() -> None: ...

    assert "t/climate reads t/wether" in refusal(module, weather, climate)


def test_an_asset_of_another_location_has_to_be_named(module: ModuleType) -> None:
    @feature(key_prefix="t", ins={"delays": dg.AssetIn(["airports", "delays"])})
    def joined(delays: pl.DataFrame) -> None: ...

    assert "named in build_location(imports=...)" in refusal(module, joined)
    assert located(module, joined, imports=["airports/delays"])


def test_what_something_else_writes_can_be_declared_in_a_module(module: ModuleType) -> None:
    @feature(key_prefix="t", ins={"feed": dg.AssetIn(["elsewhere", "feed"])})
    def joined(feed: pl.DataFrame) -> None: ...

    graph = located(module, joined, dg.AssetSpec(["elsewhere", "feed"])).resolve_asset_graph()
    assert not graph.get(dg.AssetKey(["elsewhere", "feed"])).is_materializable


@pytest.mark.parametrize(
    ("declare", "upstream", "told"),
    [
        (
            feature,
            forecast,
            "t/some is a feature and reads t/forecast, which is a prediction; a feature may read only: fact",
        ),
        (model, forecast, "t/some is a model and reads t/forecast, which is a prediction;"),
        (fact, climate, "t/some is a fact and reads t/climate, which is a feature; a fact may read only: fact."),
    ],
)
def test_a_read_against_the_order_of_the_layers_is_refused_with_the_names(
    declare: Any, upstream: dg.AssetsDefinition, told: str, module: ModuleType
) -> None:
    @declare(key_prefix="t", deps=[upstream])
    def some() -> None: ...

    assert told in refusal(module, weather, climate, forecast, some)


@pytest.mark.parametrize("declare", [fact, feature, model, prediction])
def test_each_layer_may_read_a_fact(declare: Any) -> None:
    @declare(key_prefix="t", deps=[weather])
    def some() -> None: ...

    check_layering([*weather.specs, *some.specs])


def test_an_asset_without_a_layer_may_read_and_be_read_by_all() -> None:
    @dg.asset(key=["t", "plain"], deps=[forecast])
    def plain() -> None: ...

    @fact(key_prefix="t", deps=[plain])
    def some() -> None: ...

    check_layering([*climate.specs, *weather.specs, *forecast.specs, *plain.specs, *some.specs])


def test_a_location_without_an_owner_is_refused_with_what_to_write(module: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 't'\n")
    told = refusal(module, weather)
    assert told.startswith('Location t has no owner: write owner = "team:<name>" under [tool.headrace] in ')
    assert told.endswith("pyproject.toml.")


def test_a_location_without_a_project_is_refused_in_the_same_way(module: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").unlink()
    with pytest.raises(DefinitionError, match="Location t has no owner"):
        location_owner(module, "t")


def test_what_no_profile_gives_is_refused_when_the_location_loads(module: ModuleType) -> None:
    @fact(key_prefix="t", compute=Compute(profile="small", memory="1TiB"))
    def huge() -> None: ...

    table = ComputeTable(profiles={"small": Profile(limits=Limits(memory="4GiB"))})
    with pytest.raises(DefinitionError, match="t/huge asks for more than the profile 'small' gives: 1 TiB of memory"):
        located(module, huge, compute=table)


def test_a_profile_that_does_not_exist_is_refused_with_the_one_that_was_meant(module: ModuleType) -> None:
    @fact(key_prefix="t", compute=Compute(profile="gpus"))
    def trained() -> None: ...

    with pytest.raises(DefinitionError, match="Did you mean gpu"):
        located(module, trained, compute=ComputeTable(profiles={"gpu": Profile()}))


@fact(key_prefix="t", compute=Compute(backend="batch", image="repo/x:latest"))
def foreign() -> None: ...


BATCH = ComputeTable(backends={"batch": lambda: pytest.fail("nobody asked for a backend")})
PROFILED = ComputeTable(
    profiles={"default": Profile(defaults={"image": "repo/x:latest"})}, default="batch", backends=BATCH.backends
)


@pytest.mark.parametrize(("asset", "table"), [(foreign, BATCH), (weather, PROFILED)])
def test_production_refuses_an_image_that_may_be_another_one_tomorrow(
    asset: Any, table: ComputeTable, module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert located(module, asset, compute=table)
    monkeypatch.setenv("HEADRACE_NAMESPACE", "production")
    assert refusal(module, asset, compute=table) == (
        f"{asset.key.to_user_string()} asks for the image repo/x:latest, which may be another one tomorrow: in"
        " production, name it by digest, as in repo/x@sha256:..., which `docker pull repo/x:latest` prints."
    )


def test_an_extra_that_does_not_exist_is_refused_before_anything_runs(
    module: ModuleType, repository: Repository
) -> None:
    repository.add("t", extras='train = ["kit"]')

    @model(key_prefix="t", compute=Compute(extras=("trian",)))
    def trained() -> None: ...

    with pytest.raises(FrozenError, match=r"^Location t has no extra 'trian'; it has: train\. Did you mean train\?"):
        located(module, trained)
