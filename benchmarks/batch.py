"""Many segments at once on DuckDB against the queries that an analyst writes, one a segment."""

from __future__ import annotations

import random
import resource
import tempfile
from pathlib import Path

import duckdb
from data import NOW, PROJECT, folder
from measure import both, row

import segdsl

TARGETS = {1: "at most 1.1 x slower", 3: "at most 1.1 x slower", 10: "", 100: "5 x faster", 1000: "13 x faster"}
MOST_BY_HAND = 100  # the analyst's thousand take minutes: a tenth of them is measured, and multiplied


def term(chance: random.Random) -> tuple[str, str]:
    """One test as a rule and as an analyst's condition."""
    days, count = chance.choice([7, 14, 30, 60, 90]), chance.choice([1, 1, 2, 3, 5])
    kind, path = chance.choice(["view", "view", "cart", "buy", "mail"]), chance.choice([None, chance.randrange(200)])
    where = f"kind = '{kind}'" + (f" AND path = '/p/{path}'" if path is not None else "")
    window = f"ts > TIMESTAMP '2026-06-30' - INTERVAL {days} DAY AND ts <= TIMESTAMP '2026-06-30'"
    inner = f"SELECT contact_id FROM events WHERE {where} AND {window} GROUP BY 1 HAVING COUNT(*) >= {count}"
    words = kind + (f' "/p/{path}"' if path is not None else "")
    if chance.random() < 0.3:
        return f"not {words} >= {count} in {days}d", f"id NOT IN ({inner})"
    return f"{words} >= {count} in {days}d", f"id IN ({inner})"


def segments(count: int) -> tuple[str, list[str]]:
    """A rule file of segments of two to four terms, and the queries for each."""
    chance = random.Random(count)
    rules, queries = [], []
    for number in range(count):
        terms = [term(chance) for _ in range(chance.choice([2, 3, 4]))]
        rules.append(f"segment s{number}:\n    " + " and ".join(rule for rule, _ in terms) + "\n")
        queries.append(f"SELECT 's{number}', id FROM contacts WHERE " + " AND ".join(sql for _, sql in terms))
    return "\n".join(rules), queries


def main() -> None:
    place = folder()
    with duckdb.connect(str(place / "events.duckdb"), read_only=True) as connection:
        connection.execute("SET threads = 2")
        for count, target in TARGETS.items():
            rules, queries = segments(count)
            with tempfile.TemporaryDirectory() as name:
                project_folder = Path(name)
                (project_folder / "segments").mkdir()
                (project_folder / "segments" / "all.seg").write_text(rules)
                (project_folder / "segdsl.yml").write_text(PROJECT.replace("events.duckdb", f"/{place}/events.duckdb"))
                project = segdsl.load(project_folder)
                sql = project_sql(project)
            by_hand = queries[:MOST_BY_HAND]

            def ours(sql: str = sql) -> None:
                connection.execute(f"CREATE OR REPLACE TEMP TABLE found AS {sql}")

            def peer(by_hand: list[str] = by_hand) -> None:
                connection.execute("CREATE OR REPLACE TEMP TABLE by_hand (segment VARCHAR, id BIGINT)")
                for query in by_hand:
                    connection.execute(f"INSERT INTO by_hand {query}")

            ours()
            peer()
            names = "(SELECT DISTINCT segment FROM by_hand)"
            for left, right in (("found", "by_hand"), ("by_hand", "found")):
                missing = f"SELECT COUNT(*) FROM (SELECT * FROM {left} WHERE segment IN {names} EXCEPT FROM {right})"
                assert connection.execute(missing).fetchall() == [(0,)], (left, right)
            a, b = both(ours, peer, runs=3 if count <= 100 else 1)
            row(f"{count} segments", a, b * count / len(by_hand), "analyst", target)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB")


def project_sql(project: segdsl.Project) -> str:
    from segdsl.backends.sql import compile_segments
    from segdsl.core.time import from_datetime

    return compile_segments(project.program, project.catalog, list(project.program.segments), from_datetime(NOW))


if __name__ == "__main__":
    main()
