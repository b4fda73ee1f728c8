"""The code version of a model changes with what its SQL says, not with how it is laid out."""

import pytest

from platform_core.dbt.code_versions import code_version, tokens

SQL = "select a, count(*) as \"n  n\" from t where b <> 'x -- y' and c>=1 group by a"


def of(sql: str) -> str:
    return code_version({"compiled_code": sql, "config": {}}, {})


@pytest.mark.parametrize(
    "same",
    [
        "-- why\n" + SQL + "  -- and what\n",
        SQL.replace(" from", "\n/* here */ from").replace("group by", "group\tby"),
        SQL.replace("a, count", "a\n  , count").replace("c>=1", "c >= 1"),
        SQL.replace("t where", "t --it's one of\n where"),
    ],
)
def test_layout_and_comments_do_not_count(same: str) -> None:
    assert of(same) == of(SQL)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (SQL, SQL.replace("x -- y", "x -- z")),
        (SQL, SQL.replace("x -- y", "x  -- y")),
        (SQL, SQL.replace("n  n", "n n")),
        (SQL, SQL.replace(">=", ">")),
        ("select 1 - -1", "select 1 --1"),
        ("select ab", "select a b"),
        ("select '\\' as a, '-- x' as b", "select '\\' as a, '-- y' as b"),
        ("select e'\\'-- x', 1", "select e'\\'-- y', 1"),
        ("select $$ -- x $$", "select $$ -- y $$"),
        ("select $a$ $$ -- x $a$", "select $a$ $$ -- y $a$"),
        ("select 'it''s -- x'", "select 'it''s -- y'"),
        ("select /* /* */ ' */ '-- x'", "select /* /* */ ' */ '-- y'"),
        ("select a->'-- x'", "select a->'-- y'"),
        ("select 1 /* b */", "select 2 /* b */"),
    ],
)
def test_anything_else_counts(before: str, after: str) -> None:
    assert of(before) != of(after)


def test_a_statement_is_cut_as_duckdb_does() -> None:
    assert tokens("select a.b||'c'::text,-1--x\nfrom t") == [
        *("select", "a", ".", "b", "||", "'c'", "::", "text", ",", "-", "1", "from", "t")
    ]
