"""When the edge of a window gets to an instant: what histories ask of a database is what `core.time` says."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.dialects import get
from segdsl.backends.sql.history.edges import Edges
from segdsl.catalog import load_text
from segdsl.core.time import DAY, Earlier, Edge, FromNow, Later, Period, PeriodStart, local, reaches, repeats_days
from segdsl.engines import connect
from tests.support.databases import Table, database
from tests.test_history import COMMON

ZONES = ("UTC", "Europe/Berlin", "America/Havana", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu")
PLAIN = [zone for zone in ZONES if not repeats_days(zone)]  # of the others a period may begin twice: see `Unsaid`
PERIODS: list[Period] = ["day", "week", "month", "quarter", "year"]
# Ends of months and years, leap days, and nights in which clocks moved, over midnight in St. John's.
DAYS = [
    datetime(2024, 2, 28), datetime(2024, 2, 29), datetime(2024, 3, 1), datetime(2025, 12, 31), datetime(2026, 1, 1),
    datetime(2026, 1, 31), datetime(2026, 3, 29, 2), datetime(2025, 10, 26, 2), datetime(2010, 11, 7),
    datetime(2026, 5, 31, 12), datetime(2026, 7, 1),
]  # fmt: skip
INSTANTS = sorted({local(day, zone) + micro for day in DAYS for zone in ZONES for micro in (-1, 0, 1)})

moves = st.builds(
    FromNow, st.sampled_from([0, -DAY, DAY, -7 * DAY, -3600 * 10**6, 1]), st.sampled_from([0, 0, -1, 1, -2, -12, 13])
)
edges = st.one_of(
    moves, moves, st.builds(Earlier, moves, moves), st.builds(Later, moves, moves),
    st.builds(PeriodStart, st.sampled_from(PERIODS), st.integers(-2, 2), st.sampled_from(PLAIN), moves),
)  # fmt: skip
lengths = st.sampled_from([0, 1, 40 * DAY, 400 * DAY])


@pytest.mark.parametrize("name", ["duckdb", "postgres", "clickhouse", "spark"])
def test_edges_are_reached_when_time_says(name: str) -> None:
    running = database(name)
    running.load({"people": Table({"t": get(name).kept_as(types.INT)}, [[t] for t in INSTANTS])})

    declared = f"version: 1\ndatabase: {running.url}\ncontacts: {{table: people, key: t}}\n"
    catalog, problems = load_text(declared, "segdsl.yml", Path("/nowhere"))
    assert catalog is not None, problems

    @settings(COMMON, max_examples=3 if name == "spark" else 12)
    @given(st.lists(edges, min_size=3, max_size=6), st.sampled_from(INSTANTS), lengths)
    def check(asked: list[Edge], since: int, length: int) -> None:
        said = Edges(engine.dialect, since, since + length)
        columns = [(f"e{i}", said.reached(edge, b.column("t"))) for i, edge in enumerate(asked)]
        for t, *found in engine.ask(b.select([("t", b.column("t")), *columns], b.table("people"))):
            for edge, at in zip(asked, found, strict=True):
                assert _placed(at, since, length) == _placed(reaches(edge, t), since, length), (edge, t)

    with connect(catalog) as engine:
        check()


def _placed(at: int | None, since: int, length: int) -> int:
    """An instant as far as it matters: all up to the first are alike, and all behind the last."""
    return length + 1 if at is None else max(0, min(at - since, length + 1))
