"""Mistakes on the command line, and a broken file as the command reports it: one sentence and the right exit code."""

from pathlib import Path

import pytest

from tests.end_to_end.conftest import Headrace


def test_a_half_written_file_fails_the_step_and_leaves_the_namespace_as_it_was(
    production: Headrace, sources: Path
) -> None:
    eve = production.within("user/eve").having(HEADRACE_SOURCES=str(sources))
    file = sources / "flights" / "flights_2013-02.csv.gz"
    file.write_bytes(file.read_bytes()[:50_000])
    before = eve.versions("scheduled_flights")
    done = eve("run", "scheduled_flights", "--partition", "2013-02")
    assert done.returncode == 1, done.stdout
    assert f"{file} cannot be read and is probably cut off" in done.stdout
    assert "Traceback" not in done.stdout
    assert eve.versions("scheduled_flights") == before


@pytest.mark.parametrize(
    ("arguments", "code", "fragment"),
    [
        (("run", "depature_features"), 2, "Did you mean departure_features"),
        (
            ("run", "weather", "--partition", "2015-01", "--location", "flights"),
            1,
            "There is no partition 2015-01; there are 12",
        ),
        (("run", "--location", "fligths"), 2, "Did you mean flights?"),
        (("run", "--partitions", "2013-01"), 2, "No such option"),
        (("versions", "delay_modell"), 2, "Did you mean"),
        (("show", "delay_model@nothing"), 2, "there is no such version; `headrace versions"),
        (("show", "weather", "--partition", "2019-01"), 2, "shows no version of partition 2019-01"),
    ],
)
def test_a_mistake_gets_one_sentence_with_the_fix(
    production: Headrace, arguments: tuple[str, ...], code: int, fragment: str
) -> None:
    done = production(*arguments)
    assert fragment in done.stdout
    assert "Traceback" not in done.stdout
    assert done.returncode == code


def test_a_namespace_that_is_none_is_refused_before_anything_starts(production: Headrace) -> None:
    done = production.within("prod")("versions", "weather")
    assert done.returncode == 2
    assert done.stdout.startswith("✗ HEADRACE_NAMESPACE cannot be used: 'prod' is not a namespace")
