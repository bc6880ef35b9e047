"""Histories of counts, which SQL tells by the event so many before: ties, the edges of windows, and many rows.

`SEGDSL_CASES` says how many rule × world cases to run.
"""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import duckdb
from hypothesis import given, note, settings
from hypothesis import strategies as st

from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.backends.sql.dialects.duckdb import DuckDB
from segdsl.backends.sql.history.statement import HistoryStatement
from segdsl.core.time import DAY
from tests.support import strategies
from tests.support.strategies import joined
from tests.support.world import World, program_of
from tests.test_history import CASES, COMMON, NOW, RULES, agree, written

# Every window's length is between two of these, so that events of one instant meet others that leave at it.
times = st.builds(
    lambda weeks, micro: (strategies.NOW - timedelta(days=7 * weeks, microseconds=micro)).isoformat(),
    st.integers(-1, 5), st.sampled_from([-1, 0, 0, 0, 1]),
)  # fmt: skip
visits = st.lists(
    st.fixed_dictionaries({
        "id": st.sampled_from(["a", "a", "a", "b", "anon", "nobody"]), "at": times,
        "path": st.sampled_from(["/x", "/x", "/y", None]),
    }),
    min_size=1, max_size=24,
)  # fmt: skip
WINDOWS = [
    "", " in 7d", " in 7d", " in 14d", " in 21d", " between 7d and 14d ago", " between 1w and 1mo ago", " in 1mo",
    " more than 7d ago", " since 2026-03-24T10:00Z", " this week", " in 604800001 ms",
]  # fmt: skip
windows = st.sampled_from([*WINDOWS, " before 2026-03-17T10:00Z"])
# `within 7d before` a date could be read in two ways.
around = st.sampled_from([*WINDOWS, " between 2000-01-01 and 2026-03-17T10:00Z"])
counted = st.sampled_from(["visited", "visited", 'visited "/x"', "visited where (path is unknown)", "any event"])
amounts = st.one_of(st.just(""), strategies.counts)
within = st.sampled_from(["", " within 7d", " within 14d", " within 604800001 ms"])
waits = joined(st.sampled_from([" then not purchased", ' then not visited "/y"']), within)
without = st.sampled_from(["", " without any purchased", ' without visited "/y" within 7d before'])
between = st.one_of(without, st.sampled_from([" without purchased", ' without visited "/y"']))
one = joined(st.sampled_from(["visited", 'visited "/x"', "purchased"]), st.one_of(st.just(""), waits), without, around)
several = joined(
    st.sampled_from(["visited then purchased", "visited then visited", 'visited "/x" then visited "/y"',
                     "visited then not purchased then visited", "visited then purchased then visited"]),
    within, st.one_of(st.sampled_from(["", " all within 14d"]), waits), between, around,
)  # fmt: skip
alike = joined(
    "visited then visited", within, " with same path", st.sampled_from(["", ' without visited "/y"']), around
)
outermost = joined(
    st.sampled_from(["last(path of visited", "first(path of visited"]), windows,
    st.sampled_from([') = "/x"', ') in ("/x", "/y")', ') starts with "/y"', ") is known"]),
)  # fmt: skip
tests = st.one_of(
    joined(counted, amounts, windows), joined(counted, amounts, windows),
    st.sampled_from(['country = "DE"', "everyone"]),
)  # fmt: skip
rules = strategies.combined(tests, 3)
others = strategies.combined(st.one_of(one, several, several, alike, outermost, outermost, tests), 2)
stretches = st.builds(
    lambda weeks, micro, length: (NOW - 7 * weeks * DAY + micro, NOW - 7 * weeks * DAY + micro + length),
    st.integers(0, 4), st.sampled_from([-1, 0, 1]), st.sampled_from([0, 1, 7 * DAY, 28 * DAY]),
)  # fmt: skip


@settings(COMMON, max_examples=max(1, CASES // RULES // 5))
@given(visits, visits, st.lists(rules, min_size=RULES, max_size=RULES), stretches)
def test_counts_of_events_that_meet(
    seen: list[dict[str, object]], bought: list[dict[str, object]], texts: list[str], stretch: tuple[int, int]
) -> None:
    _agree(seen, bought, texts, stretch)


@settings(COMMON, max_examples=max(1, CASES // RULES // 5))
@given(visits, visits, st.lists(others, min_size=RULES, max_size=RULES), stretches)
def test_sequences_and_values_of_events_that_meet(
    seen: list[dict[str, object]], bought: list[dict[str, object]], texts: list[str], stretch: tuple[int, int]
) -> None:
    _agree(seen, bought, texts, stretch)


def _agree(
    seen: list[dict[str, object]], bought: list[dict[str, object]], texts: list[str], stretch: tuple[int, int]
) -> None:
    """SQL has a form for all the rules, and tells what replays tell."""
    orders = [{"id": row["id"], "at": row["at"]} for row in bought]
    tables = {name: [] for name in ("deals", "plans", "owners", "companies", "members")}
    tables |= {"visits": seen, "orders": orders, "aliases": [{"alias": "anon", "id": "a"}]}
    people = {"a": {"country": "DE"}, "b": {"country": None}, "c": {"country": "DE"}}
    small = World(strategies.CATALOG.format(zone="Europe/Berlin"), people, tables)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder:
        catalog = small.catalog(Path(folder))
        small.write_jsonl(catalog)
        note(written(texts))
        assert agree(catalog, program_of(strategies.SCORE + written(texts), catalog), stretch) == []


# --- rows that stay sorted, and windows of their own --------------------------------------------------------------


class Windowed(DuckDB):
    """DuckDB, asked as the other databases are."""

    keeps_order: ClassVar[bool] = False


MANY = 300_000  # events: more than one thread reads at once
BIG = [
    "visited in 3d", "visited >= 3 in 30d", 'visited "/1" in 10d', "visited >= 2 in 1mo and not purchased in 7d",
    'country = "DE" and visited 2 to 4 times in 20d', "sum(amount of purchased in 30d) > 100 or visited < 2 in 30d",
    'plan = "pro" and purchased in 30d', "distinct(path of visited in 10d) >= 2", "visited >= 2 within 6h in 30d",
    "visited then purchased within 3d in 30d", 'last(path of visited in 10d) = "/1" or visited then not purchased',
]  # fmt: skip


def test_many_rows_stay_in_their_order() -> None:
    """What DuckDB says of rows that are sorted once is what it says by windows, row for row."""
    small = World(strategies.CATALOG.format(zone="UTC"), {}, {})
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        catalog = small.catalog(Path(folder))
        program = program_of(strategies.SCORE + written(BIG), catalog)
        connection.execute("SET threads = 4")
        hour = f"make_timestamp({NOW} - (hash({{}}) % 2000)::BIGINT * 3600000000)"  # so that there are ties
        who = "(hash(i + {}) % 20000)::VARCHAR AS id"
        for table in (
            "people AS SELECT i::VARCHAR AS id, ['DE', 'AT'][1 + i % 2] AS country FROM range(19900) AS t(i)",
            f"visits AS SELECT {who.format(7)}, {hour.format('i')} AS at, '/' || i % 3 AS path,"
            " NULL::VARCHAR AS delivery, NULL::VARCHAR AS device, NULL::BIGINT AS seconds, NULL::VARCHAR AS shared"
            f" FROM range({MANY}) AS t(i)",
            f"orders AS SELECT {who.format(8)}, {hour.format('i + 1')} AS at, (i % 90)::DECIMAL(12, 2) AS amount"
            f" FROM range({MANY // 2}) AS t(i)",
            f"plans AS SELECT {who.format(9)}, {hour.format('i + 2')} AS at, ['free', 'pro'][1 + i % 2] AS plan"
            f" FROM range({MANY // 4}) AS t(i)",
            "aliases AS SELECT 'x' AS alias, '5' AS id",
        ):
            connection.execute(f"CREATE TABLE {table}")

        def asked(dialect: Dialect, segment: str) -> list[tuple[object, ...]]:
            stretch = (NOW - 60 * DAY, NOW - DAY)
            tree = HistoryStatement(program, catalog, segment, *stretch, None, dialect).tree()
            return connection.execute(dialect.text(tree)).fetchall()

        for segment in sorted(program.segments):
            rows = asked(DuckDB(), segment)
            assert len(rows) > 1000 and rows == asked(Windowed(), segment), segment
