from hypothesis import given
from hypothesis import strategies as st

from platform_core.compute.backends.container.logs import BYTES, LINES, tail


def test_the_last_hundred_lines_are_kept():
    printed = [f"line {number}\n".encode() for number in range(1000)]
    assert tail(printed).splitlines() == [f"line {number}" for number in range(1000 - LINES, 1000)]


def test_a_line_without_end_is_cut_to_a_size():
    assert tail(b"x" * 1_000_000 for _ in range(20)) == "x" * BYTES


def test_long_lines_are_cut_between_lines_where_that_is_possible():
    kept = tail([b"%03d%s\n" % (number, b"." * 1000) for number in range(50)])
    assert len(kept) <= BYTES
    assert kept.startswith("0")
    assert kept.endswith("049" + "." * 1000 + "\n")


def test_bytes_that_are_no_text_and_characters_cut_in_half_do_no_harm():
    assert tail([b"caf\xc3", b"\xa9 \xff \xf0\x9f"]) == "café � �"
    assert tail(["é".encode() * BYTES]).strip("é") == ""


def test_secrets_are_masked_wherever_they_stand_and_however_they_come():
    assert tail([b"a hunt", b"er2 b\nhunter2hunter2"], ["hunter2"]) == "a *** b\n******"


def test_of_two_secrets_the_longer_one_is_masked_first():
    assert tail([b"pass password"], ["pass", "password", ""]) == "*** ***"


@given(
    before=st.integers(0, 6 * BYTES), after=st.integers(0, 6 * BYTES), secret=st.text("abc", min_size=4, max_size=40)
)
def test_no_part_of_a_secret_gets_out_by_a_cut(before, after, secret):
    kept = tail([b"." * before, secret.encode(), b"." * after], [secret])
    assert not set(kept) & set("abc")


@given(st.lists(st.binary(max_size=200), max_size=30))
def test_any_bytes_make_a_short_text(chunks):
    kept = tail(chunks)
    assert len(kept.encode()) <= BYTES
    assert len(kept.splitlines()) <= LINES
