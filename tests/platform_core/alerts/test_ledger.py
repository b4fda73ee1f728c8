"""A problem is told once, again after a day, and when it is over; what is told together is one message."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from platform_core.alerts.ledger import AGAIN_AFTER, Ledger, Problem

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def problem(name: str = "a", owner: str = "team:x", mark: str = "1") -> Problem:
    blocked = tuple(f"t/{number}" for number in range(7))
    return Problem(f"asset {name}", owner, f"t/{name}", "it broke", "http://ui/runs/1", blocked, mark)


def test_a_new_problem_is_told_with_all_that_an_owner_needs() -> None:
    _, (message,) = Ledger({}).update([problem()], NOON)
    assert message.owner == "team:x"
    assert message.title == "Headrace: t/a needs you"
    assert message.body.splitlines() == [
        "✗ t/a (owner team:x): it broke",
        "  blocked downstream: t/0, t/1, t/2, t/3, t/4 and 2 more",
        "  http://ui/runs/1",
    ]


def test_while_it_lasts_it_is_told_again_once_a_day_with_how_often() -> None:
    ledger, _ = Ledger({}).update([problem()], NOON)
    for hour in range(1, 24):
        ledger, messages = ledger.update([problem(mark=str(hour))], NOON + timedelta(hours=hour))
        assert messages == []
    ledger, (message,) = ledger.update([problem(mark="24")], NOON + AGAIN_AFTER)
    assert "It lasts for 24 h (24 times)." in message.body


def test_recovery_is_told() -> None:
    ledger, _ = Ledger({}).update([problem()], NOON)
    ledger, (message,) = ledger.update([], NOON + 120 * MINUTE)
    assert message.body == "✓ t/a is well again, after 2 h."
    assert ledger.update([], NOON + 121 * MINUTE)[1] == []


def test_what_is_new_for_one_owner_is_one_message() -> None:
    problems = [problem("a"), problem("b"), problem("c", owner="team:y")]
    _, messages = Ledger({}).update(problems, NOON)
    assert {message.owner: message.body.count("✗") for message in messages} == {"team:x": 2, "team:y": 1}
    assert messages[0].title == "Headrace: t/a needs you and 1 more"


steps = st.lists(st.sets(st.sampled_from("abc")), max_size=12)


@given(steps)
def test_every_problem_is_told_when_it_begins_and_ends_and_the_cursor_survives(moments: list[set[str]]) -> None:
    before: set[str] = set()
    ledger, now = Ledger({}), NOON
    for names in moments:
        now += MINUTE
        ledger, messages = Ledger.parse(ledger.to_text()).update([problem(name) for name in sorted(names)], now)
        text = "\n".join(message.body for message in messages)
        assert {name for name in "abc" if f"✗ t/{name} " in text} == names - before
        assert {name for name in "abc" if f"✓ t/{name} " in text} == before - names
        before = names
