"""In which environment a step is planned to run."""

import re
from dataclasses import replace

import pytest

from platform_core.compute.frozen import (
    in_environment,
    interpreter_of,
    require_digest,
    require_extras,
    require_hashes,
)
from platform_core.compute.placement import ComputeTable, Placement
from platform_core.compute.profiles import Profile
from platform_core.compute.spec import BackendName, Compute
from platform_core.environments.environment import environment_of
from platform_core.environments.venvs import planned_interpreter, ready_venv
from platform_core.errors import DefinitionError, FrozenError
from platform_core.settings import current_settings
from tests.platform_core.environments.support.fixtures import index, repository, uv_cache
from tests.platform_core.environments.support.toys import Repository

__all__ = ["index", "repository", "uv_cache"]

TABLE = ComputeTable(images=lambda location, extras: (f"images/{'+'.join((location, *extras))}", "toys:abc"))


def placed(compute: Compute, backend: BackendName = "local") -> Placement:
    return Placement(backend, compute, Profile(), "a test says so")


def planned(compute: Compute, backend: BackendName = "local", table: ComputeTable = TABLE) -> Placement:
    return in_environment(placed(compute, backend), "toys", table, current_settings())


def test_a_step_here_is_planned_for_its_locations_environment(repository: Repository) -> None:
    repository.add("toys", "toy==1.0", extras='train = ["kit"]')
    plain, train = planned(Compute()), planned(Compute(extras=("train",)))
    assert plain.environment == environment_of("toys").plan
    assert train.environment == environment_of("toys", ("train",)).plan
    assert interpreter_of(plain) == ""
    assert interpreter_of(train) == str(planned_interpreter(train.environment))


def test_a_process_of_the_planned_environment_is_taken(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.add("toys", extras='train = ["kit"]')
    python = ready_venv(environment_of("toys", ("train",)))
    monkeypatch.setattr("sys.prefix", str(python.parent.parent))
    assert interpreter_of(planned(Compute(extras=("train",)))) == ""


def test_a_step_elsewhere_gets_the_image_of_its_environment(repository: Repository) -> None:
    repository.add("toys", extras='train = ["kit"]')
    found = planned(Compute(cpu=2, extras=("train",)), "batch")
    assert found.compute == Compute(cpu=2, image="images/toys+train")
    assert found.environment == "toys:abc"


def test_where_the_backend_has_an_image_of_its_own_nothing_is_planned(repository: Repository) -> None:
    repository.add("toys")
    assert planned(Compute(), "batch", ComputeTable()) == placed(Compute(), "batch")


def test_an_image_that_was_named_is_taken_as_it_is(repository: Repository) -> None:
    repository.add("toys")
    named = Compute(image="x@sha256:0123")
    assert planned(named, "batch") == placed(named, "batch")


def test_code_outside_of_a_location_is_not_held_to_a_lock(repository: Repository) -> None:
    assert planned(Compute()) == placed(Compute())


def test_an_extra_that_does_not_exist_is_refused(repository: Repository) -> None:
    repository.add("toys")
    with pytest.raises(FrozenError, match="Location toys has no extra 'train'"):
        planned(Compute(extras=("train",)))
    with pytest.raises(FrozenError, match="Location toys has no extra 'train'"):
        require_extras("toys", ("train",))
    require_extras("nowhere", ())


def test_production_takes_images_by_digest_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    require_digest("x:latest", "t/a", current_settings())
    monkeypatch.setenv("HEADRACE_NAMESPACE", "production")
    require_digest("x@sha256:0123", "t/a", current_settings())
    with pytest.raises(DefinitionError) as error:
        require_digest("host:5000/x:latest", "t/a", current_settings())
    assert str(error.value) == (
        "t/a asks for the image host:5000/x:latest, which may be another one tomorrow: in production, name it by"
        " digest, as in host:5000/x@sha256:..., which `docker pull host:5000/x:latest` prints."
    )
    with pytest.raises(DefinitionError, match=r"^A step of toys asks for the image x:1, .*name it by digest"):
        in_environment(placed(replace(Compute(), image="x:1"), "batch"), "toys", TABLE, current_settings())


def test_an_image_is_of_no_use_where_steps_run_in_none(repository: Repository) -> None:
    with pytest.raises(DefinitionError, match=r"asks for the image x@sha256:0123, and steps on this machine run in no"):
        planned(Compute(image="x@sha256:0123"))


def test_what_was_never_pushed_is_of_use_to_the_engine_alone_that_built_it(repository: Repository) -> None:
    repository.add("toys")
    table = ComputeTable(images=lambda *_: ("sha256:0123", "toys:abc"))
    assert planned(Compute(), "container", table).compute.image == "sha256:0123"
    with pytest.raises(DefinitionError, match=r"batch cannot fetch it: run headrace image build toys --push$"):
        planned(Compute(), "batch", table)


def test_a_lock_in_which_a_file_has_no_hash_is_refused(repository: Repository) -> None:
    path = repository.add("toys", "toy") / "uv.lock"
    require_hashes("toys", current_settings())
    require_hashes("nowhere", current_settings())
    path.write_text(re.sub(r', hash = "sha256:[0-9a-f]+"', "", path.read_text()))
    with pytest.raises(FrozenError, match=r"files without a hash.* of toy 2\.0; lock again with: uv lock --project"):
        require_hashes("toys", current_settings())
