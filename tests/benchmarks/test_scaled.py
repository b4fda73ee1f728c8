"""The four stages of docs/scaling.md compute the same, and their consumer is the same in all of them."""

import polars as pl
import pytest

from benchmarks import scaled
from platform_core import client
from tests.platform_core.runs import run, sentence


def test_the_consumer_of_every_stage_makes_the_same_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaled, "ROWS", 700)
    monkeypatch.setattr(scaled, "HIGH", 1.5)
    run(scaled.readings)
    found: list[tuple[pl.DataFrame, pl.DataFrame]] = []
    for name, stage in scaled.STAGES.items():
        for sensor in scaled.SENSORS if stage.partitions_def else [""]:
            done = run(scaled.readings, stage, only=stage, of=sensor)
            assert done.success, f"{name}: {sentence(done)}"
        done = run(scaled.readings, stage, scaled.alarms, only=scaled.alarms)
        assert done.success, f"{name}: {sentence(done)}"
        keys = stage.partitions_def.get_partition_keys() if stage.partitions_def else [""]
        whole = pl.concat(client.load("smoothed", key) for key in keys)
        found.append((client.load("alarms"), whole))
    first, *others = found
    assert first[0]["alarms"].sum() > 0
    for alarms, whole in others:
        assert alarms.equals(first[0])
        assert whole["usual"].to_numpy() == pytest.approx(first[1]["usual"].to_numpy())
