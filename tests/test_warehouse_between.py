"""What changes between two refreshes besides events: rules, what an id stands for, rows that are there twice.

After each refresh the stored members are those of a full question, and the plan before it said the same numbers.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from segdsl.backends.sql.dialects import get
from segdsl.catalog import load_text
from segdsl.core.time import DAY
from segdsl.engines import connect
from segdsl.text.diagnostic import Errors
from segdsl.types import INT, Bool, String
from tests.support.databases import Table
from tests.test_warehouse import CATALOG, ENGINES, NOON, RULES, Shop, told

HOUR = DAY // 24


@pytest.fixture(params=ENGINES)
def shop(request: pytest.FixtureRequest) -> Shop:
    return Shop(request.param)


def refreshed(shop: Shop, now: int, text: str = RULES) -> dict[str, tuple[str, int, int]]:
    planned = shop.plan(now, text)
    done = shop.apply(now, text)
    assert replace(planned, applied=True, contacts=None) == replace(done, contacts=None)
    assert shop.members() == shop.asked(now, text)
    return told(done)


def test_what_a_new_rule_waits_for_is_known_of_everyone(shop: Shop) -> None:
    shop.visits = [("a", "/docs", NOON - 2 * DAY)]  # no news of the last day
    shop.save()
    month, week = "segment month:\n    visited in 30d\n", "segment week:\n    visited in {}\n"
    refreshed(shop, NOON, month)
    assert refreshed(shop, NOON + HOUR, month + week.format("40d")) == {"week": ("new", 1, 0)}
    assert refreshed(shop, NOON + 2 * HOUR, month + week.format("7d")) == {"week": ("changed", 0, 0)}
    assert refreshed(shop, NOON + 5 * DAY - 1, month + week.format("7d")) == {}
    assert refreshed(shop, NOON + 5 * DAY, month + week.format("7d")) == {"week": ("same", 0, 1)}


def test_nobody_waits_for_what_cannot_change_an_answer(shop: Shop) -> None:
    both = 'segment both:\n    visited "/pricing" in 30d and not visited "/docs" in 7d\n'
    either = 'segment either:\n    visited "/pricing" >= 2 in 8d or not visited "/docs" >= 2 in 7d\n'
    two, three = NOON - 2 * DAY, NOON - 3 * DAY
    shop.visits = [("a", "/docs", two), ("a", "/docs", three), ("a", "/pricing", three), ("b", "/docs", two)]
    shop.save()
    refreshed(shop, NOON, both + either)
    assert shop.members() == [("either", "b"), ("either", "c")]
    # `either` waits until one of a's two visits leaves, and `both` for the other; b's one is out of the question.
    assert shop.plan(NOON + 4 * DAY - 1, both + either).contacts == 0
    assert refreshed(shop, NOON + 4 * DAY, both + either) == {"either": ("same", 1, 0)}
    assert shop.plan(NOON + 5 * DAY - 1, both + either).contacts == 0
    assert shop.plan(NOON + 5 * DAY, both + either).contacts == 1
    assert refreshed(shop, NOON + 5 * DAY, both + either) == {"both": ("same", 1, 0)}
    assert refreshed(shop, NOON + 27 * DAY - 1, both + either) == {}
    assert refreshed(shop, NOON + 27 * DAY, both + either) == {"both": ("same", 0, 1)}


def test_what_another_segment_waits_for_is_waited_for(shop: Shop) -> None:
    rules = """\
segment fresh:
    visited "/docs" in 7d
segment other:
    visited "/pricing" in 30d and not in segment fresh
score warm:
    +2 if visited "/docs" in 7d
    +1 if visited "/pricing" in 30d and visited "/docs" in 6d
segment warm_ones:
    visited in 60d and warm >= 2
"""
    shop.visits = [("a", "/docs", NOON - 2 * DAY), ("a", "/pricing", NOON - 3 * DAY), ("b", "/docs", NOON - 2 * DAY)]
    shop.save()
    refreshed(shop, NOON, rules)
    for now in (NOON + 4 * DAY, NOON + 5 * DAY - 1, NOON + 5 * DAY, NOON + 27 * DAY, NOON + 58 * DAY):
        refreshed(shop, now, rules)


def test_an_attribute_is_not_taken_for_another(shop: Shop) -> None:
    flags = "one: bool, two: bool, three: bool"
    written = CATALOG.replace("country: string", flags).format(url=shop.running.url)
    catalog, found = load_text(written, "segdsl.yml", Path("/nowhere"))
    assert catalog is not None, found
    shop.catalog = catalog
    text, flag = get(shop.name).physical_of(String()), get(shop.name).physical_of(Bool())

    def save(one: bool, two: bool, three: bool) -> None:
        kinds = {"id": text, "one": flag, "two": flag, "three": flag}
        shop.running.load({"people": Table(kinds, [["a", one, two, three]])})

    save(False, True, False)
    refreshed(shop, NOON, "segment other:\n    one\nsegment kept:\n    two\n")
    save(False, False, True)  # `two` and `three` are what `one` and `two` were
    assert refreshed(shop, NOON, "segment kept:\n    two\nsegment other:\n    three\n") == {
        "kept": ("same", 0, 1), "other": ("changed", 1, 0)
    }  # fmt: skip


def test_a_contact_that_is_an_alias_now_has_its_events_no_more(shop: Shop) -> None:
    text = get(shop.name).physical_of(String())
    shop.catalog = shop.declared("identities: {table: aliases, from: other, to: id}\n")
    shop.visits = [("a", "/docs", NOON - 2 * DAY)]
    seen = "segment seen:\n    visited in 30d\n"
    shop.save(aliases=Table({"other": text, "id": text}, []))
    refreshed(shop, NOON, seen)
    shop.save(aliases=Table({"other": text, "id": text}, [["a", "c"]]))
    assert refreshed(shop, NOON + 1, seen) == {"seen": ("same", 1, 1)}
    shop.save(aliases=Table({"other": text, "id": text}, []))
    assert refreshed(shop, NOON + 2, seen) == {"seen": ("same", 1, 1)}


def test_a_contact_that_is_there_twice_is_a_member_once(shop: Shop) -> None:
    shop.apply(NOON)
    before = shop.members()
    text = get(shop.name).physical_of(String())
    twice = Table({"id": text, "country": text}, [[name, shop.people[name]] for name in "aabc"])
    shop.running.load({"people": twice})
    assert told(shop.apply(NOON)) == {} and told(shop.apply(NOON, full=True)) == {} and shop.members() == before
    shop.save()
    assert refreshed(shop, NOON) == {}


@pytest.mark.parametrize("table", ["members", "changes", "contacts", "touched", "aliases", "segments", "refreshes"])
def test_a_table_that_is_gone_is_made_anew(table: str, shop: Shop) -> None:
    refreshed(shop, NOON)
    with connect(shop.catalog, writing=True) as engine, engine.writing() as execute:
        execute(f"DROP TABLE own_{table}", {})
    planned = shop.plan(NOON)
    assert planned.everyone and "gone" in planned.why
    assert all(each.size == sum(name == each.segment for name, _ in shop.asked(NOON)) for each in planned.segments)
    refreshed(shop, NOON + 1)
    log = sorted(shop.rows("changes", "refresh", "segment", "contact", "change"))
    inside: set[tuple[str, str]] = set()
    for _, segment, contact, change in log:
        member = (segment, contact)
        assert (member in inside) == (change == "left")
        inside ^= {member}
    assert sorted(inside) == shop.members()
    assert not shop.plan(NOON + 1).everyone


def test_a_table_with_other_types_is_not_taken_for_one_of_its_own(shop: Shop) -> None:
    whole = get(shop.name).physical_of(INT)
    others = Table({"segment": whole, "contact": whole, "entered_at": whole}, [[1, 2, 3]])
    shop.save(own_members=others)
    for attempt in (shop.plan, shop.apply):
        with pytest.raises(Errors) as raised:
            attempt(NOON)
        [found] = raised.value.diagnostics
        assert found.code == "SEG0745" and "`segment` is" in found.message
    assert shop.rows("members", "contact") == [(2,)]
