"""Local clock times in SQL against the Python calendar, around every kind of jump that clocks make."""

from __future__ import annotations

from datetime import datetime, timedelta

import duckdb
import pytest
from sqlglot import exp

from segdsl.backends.sql.dialects import DIALECTS
from segdsl.core.time import local

# zone -> moments near its jumps: daylight saving, half an hour, midnight, a skipped day, another standard time
JUMPS = {
    "Europe/Berlin": ["2026-03-29T02:30", "2026-10-25T02:30", "1945-05-24T02:00"],
    "America/Havana": ["2026-03-08T00:00", "2026-11-01T00:30"],
    "Australia/Lord_Howe": ["2026-04-05T01:45", "2026-10-04T02:15"],
    "Pacific/Apia": ["2011-12-30T12:00", "2010-09-25T23:59"],
    "Africa/Monrovia": ["1972-01-07T00:30"],
    "Asia/Kathmandu": ["1986-01-01T00:05"],
    "Atlantic/Azores": ["2026-03-29T00:30", "2026-10-25T00:30"],
    "America/Sao_Paulo": ["2018-11-04T00:00", "2018-02-17T23:30"],
}


@pytest.mark.parametrize("zone", JUMPS)
def test_local_clocks(zone: str) -> None:
    dialect = DIALECTS["duckdb"]
    wrong = []
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for jump in JUMPS[zone]:
            for minutes in range(-3000, 3001, 15):
                moment = datetime.fromisoformat(jump) + timedelta(minutes=minutes)
                clock = exp.cast(exp.Literal.string(moment.isoformat(" ")), "TIMESTAMP")
                text = dialect.from_local(clock, zone).sql("duckdb")
                found = connection.execute(f"SELECT EPOCH_US({text})").fetchall()[0][0]
                if found != local(moment, zone):
                    wrong.append((moment, (found - local(moment, zone)) / 3.6e9))
    assert not wrong, wrong[:5]
