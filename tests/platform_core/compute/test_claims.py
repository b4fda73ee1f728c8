"""Each trial has one taker."""

from pathlib import Path

from platform_core.compute.claims import Claims


def test_a_trial_is_taken_once_and_again_by_who_took_it(tmp_path: Path) -> None:
    claims = Claims(tmp_path / "claims")
    assert claims.take(3, "worker 1")
    assert not Claims(tmp_path / "claims").take(3, "worker 2")
    assert claims.take(3, "worker 1")
    assert claims.take(4, "worker 2")
    assert claims.all() == {3: "worker 1", 4: "worker 2"}
    assert claims.age(3) >= 0
