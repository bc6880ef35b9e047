"""A Python predicate of four terms against the same written by hand, and against general rule libraries.

rule-engine and cel-python answer from facts that were counted for them beforehand, which favours them; they are
measured where they are installed (`pip install rule-engine cel-python`).
"""

from __future__ import annotations

import random
import timeit
from bisect import bisect_right
from collections.abc import Callable
from statistics import median

import data

import segdsl
from segdsl.backends.python import compile_program
from segdsl.core.contact import Facts
from segdsl.core.time import DAY, from_datetime

RULE = 'view "/p/1" >= 3 in 30d and mail in 7d and not buy in 90d and country = "DE"'
NOW = from_datetime(data.NOW)


def facts(events: int) -> Facts:
    """A contact with so many events over 180 days, in no order."""
    chance = random.Random(events)
    rows: dict[str, list[tuple[int, dict[str, object]]]] = {"view": [], "mail": [], "cart": []}
    for _ in range(events):
        kind = chance.choice(["view", "view", "view", "mail", "cart"])
        path = "/p/1" if chance.random() < 0.5 else "/p/2"
        rows[kind].append((NOW - chance.randrange(180 * DAY), {"path": path}))
    return Facts("c1", {(None, "country"): "DE"}, rows)


def by_hand(contact: Facts, now: int) -> bool:
    """Over raw events: what one would write at first."""
    events, month, week, quarter = contact.events, now - 30 * DAY, now - 7 * DAY, now - 90 * DAY
    views = [t for t, p in events.get("view", ()) if p.get("path") == "/p/1" and month < t <= now]
    mails = [t for t, _ in events.get("mail", ()) if week < t <= now]
    buys = [t for t, _ in events.get("buy", ()) if quarter < t <= now]
    return len(views) >= 3 and bool(mails) and not buys and contact.attributes.get((None, "country")) == "DE"


def by_hand_indexed(contact: Facts) -> Callable[[int], bool]:
    """Over sorted times for each filter, made beforehand."""
    views = sorted(t for t, p in contact.events.get("view", ()) if p.get("path") == "/p/1")
    mails = sorted(t for t, _ in contact.events.get("mail", ()))
    buys = sorted(t for t, _ in contact.events.get("buy", ()))
    country = contact.attributes.get((None, "country"))

    def holds(now: int) -> bool:
        end = bisect_right(views, now)
        if end < 3 or views[end - 3] <= now - 30 * DAY:
            return False
        end = bisect_right(mails, now)
        if not end or mails[end - 1] <= now - 7 * DAY:
            return False
        end = bisect_right(buys, now)
        return not (end and buys[end - 1] > now - 90 * DAY) and country == "DE"

    return holds


def nanoseconds(call: Callable[[], object], runs: int = 5) -> float:
    number = timeit.Timer(call).autorange()[0]
    return median(timeit.repeat(call, number=number, repeat=runs)) / number * 1e9


def show(what: str, ours: float, peer: float, called: str, target: str) -> None:
    print(
        f"{what:<34} {ours:9.0f} ns   {called} {peer:11.0f} ns   {peer / ours:9.2f} x   (wanted: {target})", flush=True
    )


def main() -> None:
    program = compile_program(segdsl.load(data.folder()).compile(RULE).program)
    function, predicate = program.function("rule"), program.predicate("rule")
    for events in (10, 100, 1000):
        contact = facts(events)
        index, hand = program.index(contact), by_hand_indexed(contact)
        assert function(index, NOW) == hand(NOW) == by_hand(contact, NOW) == predicate(contact, NOW)
        show(f"index, {events} events", nanoseconds(lambda i=index: function(i, NOW)),  # type: ignore[misc]
             nanoseconds(lambda h=hand: h(NOW)), "by hand", "1.0 x")  # type: ignore[misc]  # fmt: skip
        show(f"raw events, {events} events", nanoseconds(lambda c=contact: predicate(c, NOW)),  # type: ignore[misc]
             nanoseconds(lambda c=contact: by_hand(c, NOW)), "by hand", "2 x at 100 events")  # type: ignore[misc]  # fmt: skip
    index = program.index(facts(100))
    ours = nanoseconds(lambda: function(index, NOW))
    counted = {"views": 5, "mails": 1, "buys": 0, "country": "DE"}
    try:
        import rule_engine

        rule = rule_engine.Rule('views >= 3 and mails >= 1 and buys == 0 and country == "DE"')
        show("index, 100 events", ours, nanoseconds(lambda: rule.matches(counted)), "rule-engine", "50 x")
    except ImportError:
        print("rule-engine is not installed")
    try:
        import celpy

        environment = celpy.Environment()
        cel = environment.program(environment.compile('views >= 3 && mails >= 1 && buys == 0 && country == "DE"'))
        given = celpy.json_to_cel(counted)
        show("index, 100 events", ours, nanoseconds(lambda: cel.evaluate(given)), "cel-python", "1000 x")
    except ImportError:
        print("cel-python is not installed")


if __name__ == "__main__":
    main()
