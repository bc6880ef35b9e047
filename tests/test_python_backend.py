"""The Python backend on core nodes made by hand: edges, ties, unknowns, decimals, groups, bursts, awkward rules."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from segdsl import types
from segdsl.backends.python import compile_program
from segdsl.core import nodes as n
from segdsl.core.contact import Facts
from segdsl.core.program import Program, Segment
from segdsl.core.time import DAY, EVER, FromNow, PeriodStart, Span, from_datetime

NOW = from_datetime(datetime(2026, 3, 9, 12, tzinfo=UTC))
STRING, DECIMAL, WHEN = types.String(), types.decimal(18, 2), types.Timestamp()
PLAN = types.Enum(("trial", "free", "pro"))
IN_30D = Span(FromNow(-30 * DAY), FromNow())
RUN, ONE = n.Wild.RUN, n.Wild.ONE


def holds(rule: n.Rule, facts: Facts | None = None, now: int = NOW) -> bool:
    program = Program({"rule": Segment("rule", rule)}, {})
    answer = compile_program(program).predicate("rule")(facts or Facts("c"), now)
    assert isinstance(answer, bool)
    return answer


def value(node: n.Value, facts: Facts | None = None, now: int = NOW) -> int:
    """The value of a Number, by way of a score."""
    award = n.Award(1, per=node)
    number = types.Number(0, 10**30)
    return compile_program(Program({}, {"it": n.Points((award,), number)})).score("it")(facts or Facts("c"), now)


def events(span: Span | n.Anchored | None = EVER, where: n.Rule = n.EVERYONE, kind: str = "buy") -> n.Events:
    return n.Events((n.Branch(kind, where),), span)


def count(span: Span | n.Anchored | None = EVER, where: n.Rule = n.EVERYONE, **more: object) -> n.Measure:
    return n.Measure("count", events(span, where), **more)  # type: ignore[arg-type]


def at_least(measure: n.Value, least: int, op: str = ">=") -> n.Compare:
    return n.Compare(op, measure, n.Const(least, types.INT))  # type: ignore[arg-type]


def bought(*times: int, **columns: Iterable[object]) -> Facts:
    """Purchases at these instants, with one column of values a property."""
    names = list(columns)
    rows = zip(*columns.values(), strict=True) if columns else [()] * len(times)
    return Facts("c", events={"buy": [(t, dict(zip(names, r, strict=True))) for t, r in zip(times, rows, strict=True)]})


# --- spans ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("op,least", [(">=", 1), (">", 0)])
def test_a_window_is_open_at_its_far_end_to_the_microsecond(op: str, least: int) -> None:
    rule = at_least(count(IN_30D), least, op)
    assert not holds(rule, bought(NOW - 30 * DAY))
    assert holds(rule, bought(NOW - 30 * DAY + 1))
    assert holds(rule, bought(NOW))
    assert not holds(rule, bought(NOW + 1))


@pytest.mark.parametrize("op", ["=", "<", "<=", ">", ">="])
@pytest.mark.parametrize("least", [-1, 0, 1, 2, 3])
def test_every_comparison_of_a_count(op: str, least: int) -> None:
    facts = bought(NOW + 1, NOW, NOW - DAY, NOW - 31 * DAY)
    expected = {"=": least == 2, "<": least > 2, "<=": least >= 2, ">": least < 2, ">=": least <= 2}[op]
    assert holds(at_least(count(IN_30D), least, op), facts) is expected
    mirrored = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}[op]
    assert holds(n.Compare(mirrored, n.Const(least, types.INT), count(IN_30D)), facts) is expected  # type: ignore[arg-type]


def test_the_last_window_resolved_is_not_used_for_another_now() -> None:
    predicate = compile_program(Program({"a": Segment("a", at_least(count(IN_30D), 1))}, {})).predicate("a")
    facts = bought(NOW)
    assert [predicate(facts, NOW + d) for d in (0, 30 * DAY - 1, 30 * DAY, 0)] == [True, True, False, True]


def test_a_span_wholly_in_the_future_or_reversed_holds_nothing() -> None:
    facts = bought(NOW - DAY, NOW, NOW + DAY)
    assert value(count(Span(FromNow(), FromNow(2 * DAY))), facts) == 0
    assert value(count(Span(FromNow(DAY // 2), None)), facts) == 0
    assert value(count(Span(FromNow(-2 * DAY), FromNow(2 * DAY))), facts) == 2


def test_days_in_a_zone_that_changes_its_clocks() -> None:
    today = Span(PeriodStart("day", 0, "Europe/Berlin"), PeriodStart("day", 1, "Europe/Berlin"))
    noon = from_datetime(datetime(2026, 3, 29, 10, tzinfo=UTC))  # a day of 23 hours
    start = from_datetime(datetime(2026, 3, 28, 23, tzinfo=UTC))
    end = from_datetime(datetime(2026, 3, 29, 22, tzinfo=UTC))
    assert [holds(at_least(count(today), 1), bought(t), end - 1) for t in (start - 1, start, noon, end - 1)] == [
        False, True, True, True,
    ]  # fmt: skip
    days = n.Measure("distinct", events(), of=n.PeriodOf("day", "Europe/Berlin"))
    assert value(days, bought(start - 1, start, end - 1, end), end) == 3


def test_anchored_spans() -> None:
    signup = n.Attribute("signup", WHEN)
    rule = at_least(count(n.Anchored(signup, 0, 7 * DAY)), 1)

    def facts(anchor: int | None, event: int) -> Facts:
        return Facts("c", {(None, "signup"): anchor}, {"buy": [(event, {})]})

    start = NOW - 10 * DAY
    answers = [holds(rule, facts(start, start + d)) for d in (0, 1, 7 * DAY, 7 * DAY + 1)]
    assert answers == [False, True, True, False]
    assert not holds(rule, facts(None, NOW))
    assert not holds(rule, facts(NOW - 1, NOW + 1))
    assert holds(n.InSpan(signup, n.Anchored(n.Measure("last", events(), WHEN), 0, 5)), facts(NOW - 1, NOW - 2))
    assert holds(n.Not(n.InSpan(signup, n.Anchored(signup, 0, 5))), facts(NOW, NOW))


def test_dates_of_attributes_may_lie_in_the_future() -> None:
    rule = n.InSpan(n.Attribute("renewal", WHEN), Span(FromNow(), None))
    answers = [holds(rule, Facts("c", {(None, "renewal"): t})) for t in (NOW, NOW + 1, None)]
    assert answers == [False, True, False]


def test_kinds_without_a_time() -> None:
    assert value(count(None), bought(0, 0)) == 2
    assert holds(at_least(count(None), 2), bought(0, 0), now=-DAY)


# --- measures -----------------------------------------------------------------------------------------------------


def measured(kind: str, times: list[int], values: list[object], type: types.Type, **more: object) -> n.Value:
    return n.Measure(kind, events(IN_30D), type, n.Property("v", type), **more)  # type: ignore[arg-type]


def test_first_and_last_of_one_instant_take_the_least_and_the_greatest_in_declared_order() -> None:
    facts = bought(NOW, NOW, NOW, v=["free", "pro", "trial"])
    for kind, expected in (("first", "trial"), ("last", "pro")):
        node = n.Measure(kind, events(), PLAN, n.Property("v", PLAN))  # type: ignore[arg-type]
        assert holds(n.Compare("=", node, n.Const(expected, PLAN)), facts)
    assert not holds(n.Known(n.Measure("last", events(), WHEN)))


@pytest.mark.parametrize("p,expected", [((1, 2), 20), ((1, 4), 10), ((3, 4), 30), ((76, 100), 40), ((1, 1), 40)])
def test_percentiles_are_values_at_a_rank(p: tuple[int, int], expected: int) -> None:
    node = n.Measure("percentile", events(), of=n.Property("v", types.INT), rank=p)
    facts = bought(*range(NOW - 5, NOW), v=[40, 10, None, 30, 20])
    assert value(node, facts) == expected


def test_a_burst_is_open_at_its_far_end() -> None:
    assert value(count(within=10), bought(NOW, NOW - 10, NOW - 5)) == 2
    assert value(count(within=11), bought(NOW, NOW - 10, NOW - 5)) == 3


def test_groups_leave_out_unknown_values() -> None:
    same = (n.Property("a", STRING), n.Property("b", STRING))
    facts = bought(*range(NOW - 5, NOW), a=["x", "x", "x", None, None], b=["y", "z", "y", None, None])
    assert value(count(same=same), facts) == 2
    assert value(count(same=same, within=2), facts) == 1
    assert value(count(same=same[:1], within=2), facts) == 2


@pytest.mark.parametrize("seed", range(30))
def test_measures_against_their_definition(seed: int) -> None:
    chance = random.Random(seed)
    size = chance.randrange(12)
    times = [NOW - chance.randrange(-2, 33) * DAY for _ in range(size)]
    values = [chance.choice([None, 1, 2, 3, -5]) for _ in range(size)]
    facts = bought(*times, v=values)
    inside = [(t, v) for t, v in zip(times, values, strict=True) if NOW - 30 * DAY < t <= NOW]
    known = sorted((t, v) for t, v in inside if v is not None)
    of = n.Property("v", types.INT)

    def got(kind: str, **more: object) -> int:
        return value(n.Measure(kind, events(IN_30D), **more), facts)  # type: ignore[arg-type]

    assert got("count") == len(inside)
    assert got("count", of=of) == len(known)
    assert got("sum", of=of) == sum(v for _, v in known)
    assert got("distinct", of=of) == len({v for _, v in known})
    assert got("min", of=of) == min((v for _, v in known), default=0)
    assert got("max", of=of) == max((v for _, v in known), default=0)
    assert got("first", of=of) == (known[0][1] if known else 0)
    assert got("last", of=of) == (known[-1][1] if known else 0)
    assert got("count", same=(of,)) == max(Counter(v for _, v in known).values(), default=0)
    week = 7 * DAY
    expected = max((sum(s - week < t <= s for t, _ in inside) for s, _ in inside), default=0)
    assert got("count", within=week) == expected


def test_unions_and_filters_that_ask_for_now() -> None:
    due = n.InSpan(n.Property("due", WHEN), Span(FromNow(), None))
    both = n.Events((n.Branch("buy", due), n.Branch("pay", n.EVERYONE)), EVER)
    facts = Facts("c", {}, {"buy": [(NOW - 9, {"due": NOW}), (NOW - 8, {"due": NOW + 5})], "pay": [(NOW - 20, {})]})
    index = (program := compile_program(Program({}, {"it": n.Points((n.Award(1, per=n.Measure("count", both)),),
        types.INT)}))).index(facts)  # fmt: skip
    assert [program.score("it")(index, t) for t in (NOW - 1, NOW, NOW + 5, NOW)] == [3, 2, 1, 2]


# --- values and rules ---------------------------------------------------------------------------------------------


def test_numbers_of_different_scale() -> None:
    amount = n.Attribute("amount", DECIMAL)

    def facts(scaled: object) -> Facts:
        return Facts("c", {(None, "amount"): scaled})

    assert holds(at_least(amount, 12, "="), facts(1200))
    assert not holds(at_least(amount, 12, ">"), facts(1200))
    assert holds(at_least(amount, 12, ">"), facts(1201))
    assert not holds(at_least(amount, 12, "<"), facts(None))
    assert holds(n.Not(at_least(amount, 12, "<")), facts(None))
    total = n.Arithmetic("+", amount, n.Const(1, types.INT), types.decimal(19, 2))
    assert holds(n.Compare("=", total, n.Const(1325, DECIMAL)), facts(1225))
    product = n.Arithmetic("*", amount, n.Const(15, types.Number(1, 99)), types.Number(3, 10**20))
    assert holds(n.Compare("=", product, n.Const(18375, types.Number(3, 10**9))), facts(1225))
    assert holds(n.Compare("=", amount, n.Const(0.1, types.Float())), facts(10))


def test_a_large_integer_beside_a_float_is_compared_as_a_double() -> None:
    facts = Facts("c", {(None, "n"): 2**53 + 1, (None, "f"): float(2**53)})
    assert holds(n.Compare("=", n.Attribute("n", types.INT), n.Attribute("f", types.Float())), facts)


def test_two_unknown_values_are_not_equal() -> None:
    assert not holds(n.Compare("=", n.Attribute("a", STRING), n.Attribute("b", STRING)))
    assert not holds(n.OneOf(n.Attribute("a", STRING), ("x",)))


@pytest.mark.parametrize(
    "glob,yes,no",
    [
        (("a.b",), ["a.b"], ["axb", "a.b\n", ""]),
        (("a", RUN), ["a", "ab\nc"], ["ba"]),
        ((RUN, "a"), ["a", "\nba"], ["ab"]),
        ((RUN, "a", RUN), ["a", "bab"], ["b", ""]),
        ((RUN,), ["", "x"], []),
        ((), [""], ["x"]),
        (("a", RUN, "a"), ["aa", "aba"], ["a"]),
        (("a", ONE, "c"), ["a\U0001f600c", "a\nc"], ["ac", "abbc"]),
        ((RUN, "ab", RUN, ONE, "b", RUN, "b"), ["abcbb", "ababb"], ["abb", "abcb"]),
    ],
)
def test_globs(glob: n.Glob, yes: list[str], no: list[str]) -> None:
    rule = n.Match(n.Attribute("a", STRING), (glob,))
    for text in yes + no:
        assert holds(rule, Facts("c", {(None, "a"): text})) is (text in yes), text
    assert not holds(rule)


def test_a_glob_of_many_runs_is_quick() -> None:
    glob: n.Glob = (*(piece for _ in range(30) for piece in (RUN, "a")), RUN, "b")
    started = time.process_time()
    assert not holds(n.Match(n.Attribute("a", STRING), (glob,)), Facts("c", {(None, "a"): "a" * 5000}))
    assert time.process_time() - started < 2


def test_folding_is_of_ascii_only() -> None:
    rule = n.Compare("=", n.Folded(n.Attribute("a", STRING)), n.Const("straße İ ÄÉ", STRING))
    assert holds(rule, Facts("c", {(None, "a"): "STRAßE İ ÄÉ"}))
    assert not holds(rule, Facts("c", {(None, "a"): "straße İ äé"}))
    assert not holds(rule)


def test_places_lists_and_sets() -> None:
    here = n.Attribute("at", types.Geo())
    facts = Facts("c", {(None, "at"): (52.52, 13.405), (None, "tags"): ("a",)}, lists=frozenset({"vip"}))
    assert holds(n.Near(here, 52.52, 13.405, 0.0), facts)
    assert holds(n.Near(here, 53.5511, 9.9937, 256), facts)
    assert not holds(n.Near(here, 53.5511, 9.9937, 254), facts)
    assert not holds(n.Near(here, 0, 0, 30000))
    assert holds(n.All((n.Contains(n.Attribute("tags", types.ListOf()), "a"), n.InList("vip"))), facts)
    assert not holds(n.Any((n.Contains(n.Attribute("tags", types.ListOf()), "b"), n.InList("v"))), facts)


def test_points() -> None:
    awards = (
        n.Award(20, n.Compare("=", n.Attribute("country", STRING), n.Const("DE", STRING))),
        n.Award(2, per=count(), cap=5),
        n.Award(-15, at_least(count(), 4, "<")),
        n.Award(100, per=n.Attribute("unknown", types.INT)),
    )
    program = compile_program(Program({"hot": Segment("hot", at_least(n.ScoreOf("fit", types.INT), 10))},
                                        {"fit": n.Points(awards, types.INT)}))  # fmt: skip
    facts = Facts("c", {(None, "country"): "DE"}, {"buy": [(NOW, {})] * 3})
    assert program.score("fit")(facts, NOW) == 10
    assert program.predicate("hot")(facts, NOW)
    assert not program.predicate("hot")(facts, NOW - 1)


# --- awkward programs ---------------------------------------------------------------------------------------------


def test_rules_may_be_wide_and_deep() -> None:
    parts = tuple(at_least(count(where=n.Compare("=", n.Property("v", STRING), n.Const(str(i % 7), STRING))), 1, "<")
                  for i in range(5000))  # fmt: skip
    assert holds(n.All(parts))
    assert not holds(n.Any((n.Not(n.All(parts)), n.NOBODY)))
    deep: n.Rule = n.Known(n.Attribute("a", STRING))
    total: n.Value = n.Attribute("n", types.INT)
    for i in range(72):
        deep = n.Not(n.All((n.Any((n.NOBODY, deep)), n.InList("l")) if i % 2 else (deep, n.Not(n.NOBODY))))
        total = n.Arithmetic("+", total, n.Const(1, types.INT), types.INT)
    lists = frozenset({"l"})
    assert holds(deep, Facts("c", {(None, "a"): ""}, lists=lists)) is not holds(deep, Facts("c", lists=lists))
    assert holds(at_least(total, 73, "="), Facts("c", {(None, "n"): 1}))


def test_long_chains_of_segments_and_diamonds() -> None:
    segments = {"s0": Segment("s0", n.InList("l"))}
    for i in range(1, 3000):
        segments[f"s{i}"] = Segment(f"s{i}", n.Any((n.InSegment(f"s{i - 1}"), n.InSegment(f"s{max(0, i - 2)}"))))
    last = compile_program(Program(segments, {})).predicate("s2999")
    assert last(Facts("c", lists=frozenset({"l"})), NOW) and not last(Facts("c"), NOW)


HOSTILE = ["\nraise SystemExit", '"""', "'\\", "\r\x0c\x0braise", "\u2028raise", "\0", "{x}", "\ud800"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_rule_becomes_code(text: str) -> None:
    attribute = n.Attribute(text, STRING, relation=text)
    rule = n.All((
        n.Compare("=", attribute, n.Const(text, STRING)),
        n.OneOf(attribute, (text, "b")),
        n.Match(attribute, ((text,), (RUN, text, ONE, RUN))),
        n.InList(text),
        at_least(n.Measure("count", n.Events((n.Branch(text, n.EVERYONE),), EVER), words=text), 1, "<"),
    ))  # fmt: skip
    program = compile_program(Program({text: Segment(text, rule, text, text)}, {text: n.Points((), types.INT)}))
    assert program.predicate(text)(Facts("c", {(text, text): text}, lists=frozenset({text})), NOW)
    assert all(line.isprintable() for line in program.source.split("\n"))


def test_a_contact_of_forty_thousand_events() -> None:
    chance = random.Random(1)
    times = [NOW - chance.randrange(180 * DAY) for _ in range(40_000)]
    facts = bought(*times, v=[chance.randrange(100) for _ in times])
    program = compile_program(Program({
        "a": Segment("a", at_least(count(IN_30D, at_least(n.Property("v", types.INT), 50)), 3)),
        "b": Segment("b", at_least(count(IN_30D, same=(n.Property("v", types.INT),), within=DAY), 3)),
    }, {}))  # fmt: skip
    index = program.index(facts)
    started = time.process_time()
    assert program.predicate("a")(index, NOW) and program.predicate("b")(index, NOW)
    assert time.process_time() - started < 5
    started = time.process_time()
    for step in range(10_000):
        program.predicate("a")(index, NOW + step)
    assert time.process_time() - started < 2
