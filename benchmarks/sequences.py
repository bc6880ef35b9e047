"""Sequences on DuckDB against the best query written by hand."""

from __future__ import annotations

import duckdb
from data import NOW, folder
from measure import both, row

import segdsl

UNTIL = "ts <= TIMESTAMP '2026-06-30'"
# rule -> the same by hand
PAIRS = {
    "cart then buy within 7d": f"""
        SELECT DISTINCT b.contact_id FROM (SELECT contact_id, ts FROM events WHERE kind = 'buy' AND {UNTIL}) b
        ASOF JOIN (SELECT contact_id, ts FROM events WHERE kind = 'cart' AND {UNTIL}) a
        ON a.contact_id = b.contact_id AND b.ts > a.ts WHERE b.ts <= a.ts + INTERVAL 7 DAY""",
    'view "/p/1" then buy within 2d': f"""
        SELECT DISTINCT b.contact_id FROM (SELECT contact_id, ts FROM events WHERE kind = 'buy' AND {UNTIL}) b
        ASOF JOIN (SELECT contact_id, ts FROM events WHERE kind = 'view' AND path = '/p/1' AND {UNTIL}) a
        ON a.contact_id = b.contact_id AND b.ts > a.ts WHERE b.ts <= a.ts + INTERVAL 2 DAY""",
    "cart then not buy within 1d in 30d": f"""
        SELECT DISTINCT a.contact_id FROM (SELECT contact_id, ts FROM events WHERE kind = 'cart'
        AND ts <= TIMESTAMP '2026-06-29' AND ts > TIMESTAMP '2026-05-31') a
        ASOF LEFT JOIN (SELECT contact_id, ts FROM events WHERE kind = 'buy' AND {UNTIL}) b
        ON a.contact_id = b.contact_id AND a.ts < b.ts WHERE b.ts IS NULL OR b.ts > a.ts + INTERVAL 1 DAY""",
}


def main() -> None:
    place = folder()
    project = segdsl.load(place)
    with duckdb.connect(str(place / "events.duckdb"), read_only=True) as connection:
        connection.execute("SET threads = 2")
        for rule, by_hand in PAIRS.items():
            sql = project.compile(rule).sql("duckdb", now=NOW)
            assert len(connection.execute(sql).fetchall()) == len(connection.execute(by_hand).fetchall()), rule
            ours, peer = both(
                lambda sql=sql: connection.execute(sql).fetchall(),  # type: ignore[misc]
                lambda sql=by_hand: connection.execute(sql).fetchall(),  # type: ignore[misc]
            )
            row(rule, ours, peer, "by hand", "at most 1.1 x slower")


if __name__ == "__main__":
    main()
