"""What changes the numbers of a history, and when: each source has `contact` and an instant `at`.

Of most tests is known when they turn. Such a test is a bit of one number, `flips`: a row flips the bits of the tests
that turn then, and an exclusive or that runs on tells which of them hold. Other numbers are sums that run on.

All that a source gives to a contact it takes away again, behind the last instant at the latest: what runs on may then
run from one contact to the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

from sqlglot import exp

from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select
from segdsl.backends.sql.history.edges import Edges, later
from segdsl.backends.sql.history.plan import Plan
from segdsl.backends.sql.history.timeline import Stages, Timeline, added_up, beside, summed_up
from segdsl.backends.sql.measures import Passes, united_name
from segdsl.backends.sql.rules import Rules
from segdsl.core import nodes
from segdsl.core.time import FromNow, Span
from segdsl.core.walking import mapped

Value = nodes.Property | nodes.PeriodOf
Number = nodes.Rule | nodes.Measure
KNOWN = nodes.EVERYONE  # the test that tells contacts from what is stored of nobody
FLIPS = "flips"


class Deltas:
    """Collects the sources of all numbers of a plan.

    bits: tests that turn, each with its bit of `flips`. columns: other numbers, and what their columns are called.
    sources: a table, and what each of its rows flips or adds to columns.
    """

    def __init__(self, plan: Plan, rules: Rules, passes: Passes, edges: Edges, stages: Stages) -> None:
        self.rules, self.passes, self.edges, self.stages = rules, passes, edges, stages
        self.dialect = rules.dialect
        self.timeline = Timeline(self.dialect, stages)
        self.bits: dict[nodes.Rule, int] = {}
        self.columns: dict[Number, str] = {}
        self.sources: list[tuple[Node, dict[str, Node]]] = []
        self.plan = plan

    def collect(self, contacts: bool) -> None:
        """All of the plan; contacts: whether the numbers of contacts for whom nothing ever changes are wanted, too."""
        if contacts or self.plan.constants:
            self._contacts()
        for date in self.plan.dates:
            self._date(date)
        for rule, node in self.plan.held.items():
            self._held(rule, node)
        for rule, (measure, least) in self.plan.groups.items():
            self._group(rule, measure, least)
        for measure, terms in self.plan.terms.items():
            rows = self.happened(measure)
            for least, rule in terms.items():
                self._flipped(self._turns(self.stretches(rows, measure, least)), self._bit(rule))
        self._measured()

    def _name(self, of: Number, wanted: str) -> str:
        """The column of a number."""
        return self.columns.setdefault(of, f"{wanted}_{len(self.columns)}")

    def _bit(self, of: nodes.Rule) -> Node:
        """The bit of a test."""
        return b.number(self.bits.setdefault(of, 1 << len(self.bits)))

    # --- what has no events -------------------------------------------------------------------------------------------

    def _contacts(self) -> None:
        """What is so from the beginning on: that there is the contact, and what has no time."""
        flips = [self._bit(KNOWN)]
        flips += [b.case([(self.rules.rule(rule), self._bit(rule))], b.number(0)) for rule in self.plan.constants]
        columns = [("contact", b.column("id", self.rules.contact)), ("came", self.edges.begin()),
                   ("gone", self.edges.never()), (FLIPS, reduce(b.added, flips))]  # fmt: skip
        contacts = self.stages.stage("contacts", select(columns, b.table(self.rules.contact)))
        self._flipped(self._both_ends(contacts, [FLIPS]), b.column(FLIPS))

    def _date(self, rule: nodes.InSpan) -> None:
        """An attribute's instant lies in a window: from when its end gets there until its beginning does."""
        assert isinstance(rule.span, Span)
        value = self.rules.value(rule.value)
        instants = select([("contact", b.column("id", self.rules.contact)), ("t", self.dialect.micros(value))],
                          b.table(self.rules.contact), [b.known(value.copy())])  # fmt: skip
        spells = self._spells(self.stages.stage("dates", instants), [], rule.span, cut=False)
        self._flipped(self._both_ends(spells), self._bit(rule))

    def _held(self, rule: nodes.Rule, node: nodes.Held) -> None:
        """A test of an attribute with a history: what a change says of it holds until the next one."""
        kind = nodes.changes_of(node.key)
        asked = _about(nodes.Property("to", node.type), rule)
        answer = b.case([(self.passes.inside(kind).rule(asked), b.number(1))], b.number(0))
        columns = [("contact", b.column("contact")), ("t", self.dialect.micros(b.column("t"))), ("answer", answer)]
        until = b.compare("<=", b.column("t"), self.dialect.instant(self.edges.until))
        changes = self.stages.stage("changes", select(columns, b.table(self.passes.kinds[kind]), [until]))
        following = self.timeline.neighbour("t", ["t"], 1)
        columns = [(name, b.column(name)) for name in ("contact", "t", "answer")]
        told = select([*columns, ("following", following)], self.timeline.sorted(changes, ["t"]))

        def reached(name: str) -> Node:
            return self.edges.reached(node.at, b.column(name))

        gone = b.case([(b.known(b.column("following")), reached("following"))], self.edges.never())
        holds = b.compare("=", b.column("answer"), b.number(1))
        holding = select([("contact", b.column("contact")), ("came", reached("t")), ("gone", gone)],
                         self.stages.stage("answers", told), [holds])  # fmt: skip
        spells = self._in_time(self.stages.stage("holding", holding))
        self._flipped(self._both_ends(spells), self._bit(rule))

    # --- tests of how many there are at least -------------------------------------------------------------------------

    def happened(self, measure: nodes.Measure) -> Node:
        """`contact, t` of a count's events, sorted."""
        return self.timeline.sorted(self._rows(measure.events, []), ["t"])

    def stretches(self, rows: Node, measure: nodes.Measure, least: int) -> Node:
        """`contact, came, gone, begins, ends`: when so many of sorted events count.

        Each event is the last of so many from its coming until the first one's going. Events come and go in the order
        in which they happen, and so do these stretches, which overlap: a row that `begins` is the first, one that
        `ends` is the last of those that do. There are no other rows. One that is gone when it comes changes nothing.
        """
        span = measure.events.span
        assert isinstance(span, Span)
        places = {"first_t": 1 - least, "before_t": -least, "next_t": 1}
        beside = [(name, self.timeline.neighbour("t", ["t"], place)) for name, place in places.items()]
        contact = ("contact", b.column("contact"))
        rows = self.stages.stage("beside", select([contact, ("t", b.column("t")), *beside], rows))
        gone_before, came_next = self._gone(span, "before_t"), self._came(span, "next_t")
        columns = [contact, ("came", self._came(span)), ("gone", self._gone(span, "first_t")),
                   ("before_t", b.column("before_t")), ("gone_before", gone_before),
                   ("next_t", b.column("next_t")), ("came_next", came_next)]  # fmt: skip
        counted = self.stages.stage("counted", select(columns, rows, [b.known(b.column("first_t"))]))
        begins, ends = _apart("before_t", "gone_before", "came"), _apart("next_t", "gone", "came_next")
        outer = [b.compare("<=", b.column("came"), b.column("gone")), b.disjunction([begins, ends])]
        told = [contact, *self._cut(), ("begins", begins.copy()), ("ends", ends.copy())]
        return self.stages.stage("enough", select(told, counted, outer))

    def _turns(self, stretches: Node) -> Node:
        """`contact, at`: where overlapping stretches begin and end."""
        turns = self._both_ends(stretches, came=b.column("begins"), gone=b.column("ends"))
        columns = [(name, b.column(name)) for name in ("contact", "at")]
        return self.stages.stage("turns", select(columns, turns, [b.known(b.column("at"))]))

    # --- numbers of events --------------------------------------------------------------------------------------------

    def _measured(self) -> None:
        """Counts, sums and distinct counts; those over the same events share their deltas."""
        shared: dict[nodes.Events, list[nodes.Measure]] = {}
        for measure in self.plan.measures:
            if measure.kind == "distinct":
                self._distinct(measure)
            else:
                shared.setdefault(measure.events, []).append(measure)
        for events, measures in shared.items():
            values: list[Value] = [measure.of for measure in measures if measure.of is not None]
            rows = self._rows(events, values)
            spells = self._spells(rows, [united_name(value) for value in dict.fromkeys(values)], events.span)
            changed = {}
            for measure in measures:
                column = None if measure.of is None else b.column(united_name(measure.of))
                amount: Node = b.number(1)
                if column is not None and measure.kind == "sum":
                    amount = b.coalesce(column, b.number(0))
                elif column is not None:
                    amount = b.case([(b.known(column), b.number(1))], b.number(0))
                changed[self._name(measure, measure.kind)] = amount
            self._spelled(spells, changed)

    def _distinct(self, measure: nodes.Measure) -> None:
        """How many values there are: one more when a value comes that is not there, one less when it is gone."""
        assert measure.of is not None
        rows = self._rows(measure.events, [measure.of], apart=[measure.of])
        spells = self._spells(rows, [united_name(measure.of)], measure.events.span, known=[measure.of])
        self._grouped(spells, [united_name(measure.of)], 1, self._name(measure, "distinct"))

    def _group(self, rule: nodes.Rule, measure: nodes.Measure, least: int) -> None:
        """Some group, or crowd, of events is large enough: how many such there are."""
        keys = [united_name(value) for value in measure.same]
        rows = self._rows(measure.events, list(measure.same), apart=list(measure.same))
        name = self._name(rule, "groups")
        if measure.within is None:
            spells = self._spells(rows, keys, measure.events.span, known=list(measure.same))
            self._grouped(spells, keys, least, name)
            return
        # From the last of a crowd on, until the first of them leaves.
        columns = [(key, b.column(key)) for key in ("contact", "t", *keys)]
        first = b.column("t") if least == 1 else beside(b.column("t"), ["contact", *keys], ["t"], 1 - least)
        behind = select([*columns, ("first_t", first)], rows, [b.known(b.column(key)) for key in keys])
        close = b.compare(">", later(b.column("first_t"), measure.within), b.column("t"))
        crowds = select([(name, b.column(name)) for name in ("contact", "t", "first_t")],
                        self.stages.stage("behind", behind), [b.known(b.column("first_t")), close])  # fmt: skip
        spells = self._spells(self.stages.stage("crowds", crowds), [], measure.events.span, leaves="first_t")
        self._spelled(spells, {name: b.number(1)})

    def _rows(self, events: nodes.Events, values: Sequence[Value], apart: Sequence[Value] = ()) -> Node:
        """`contact, t` and values of the events that may ever count; without `t` where they have no time."""
        assert not isinstance(events.span, nodes.Anchored)
        timed = events.span is not None
        queries = [self.passes.rows(branch, None, values, timed, apart) for branch in events.branches]
        rows = self.stages.stage("happened", b.united(queries))
        if events.span is None:
            return rows
        # On the instants as they are stored, so that the database can skip what is not asked for.
        lo, _ = events.span.resolve_for_events(self.edges.since)
        _, hi = events.span.resolve_for_events(self.edges.until)
        first = None if lo is None else self.dialect.instant(lo)
        asked = self.dialect.within(b.column("t"), first, self.dialect.instant(hi))
        columns = [(name, b.column(name)) for name in map(united_name, dict.fromkeys(values))]
        micros = self.dialect.micros(b.column("t"))
        columns = [("contact", b.column("contact")), ("t", micros), *columns]
        return self.stages.stage("asked", select(columns, rows, asked))

    # --- from when until when -----------------------------------------------------------------------------------------

    def _came(self, span: Span | None, t: str = "t", cut: bool = True) -> Node:
        """When a window first holds what happened at a column; cut: not before that itself."""
        here = [b.column(t)] if cut and span is not None else []
        if span is not None and span.hi is not None and not (cut and span.hi == FromNow()):
            here.append(self.edges.reached(span.hi, b.column(t)))
        return b.extreme(exp.Greatest, here) if here else self.edges.begin()

    def _gone(self, span: Span | None, t: str = "t") -> Node:
        """When a window's beginning gets to what happened at a column."""
        return (
            self.edges.reached(span.lo, b.column(t)) if span is not None and span.lo is not None else self.edges.never()
        )

    def _cut(self) -> list[tuple[str, Node]]:
        """`came` and `gone`, cut off where the two instants are."""
        return [("came", b.extreme(exp.Greatest, [b.column("came"), self.edges.begin()])),
                ("gone", b.extreme(exp.Least, [b.column("gone"), self.edges.never()]))]  # fmt: skip

    def _spells(
        self, rows: Node, carried: Sequence[str], span: Span | nodes.Anchored | None, cut: bool = True,
        known: Sequence[Value] = (), leaves: str = "t",
    ) -> Node:  # fmt: skip
        """`contact, came, gone` and what is carried: from when until when each row counts."""
        assert not isinstance(span, nodes.Anchored)
        columns = [(name, b.column(name)) for name in ("contact", *carried)]
        columns += [("came", self._came(span, cut=cut)), ("gone", self._gone(span, leaves))]
        spells = select(columns, rows,
                        [b.known(b.column(united_name(value))) for value in known])  # fmt: skip
        return self._in_time(self.stages.stage("spells", spells), carried)

    def _in_time(self, spells: Node, carried: Sequence[str] = ()) -> Node:
        """What of them lies between the two instants; what is gone before it comes was never there."""
        there = [b.compare("<", b.column("came"), b.column("gone")),
                 b.compare("<=", b.column("came"), b.number(self.edges.until)),
                 b.compare(">", b.column("gone"), self.edges.begin())]  # fmt: skip
        columns = [(name, b.column(name)) for name in ("contact", *carried)]
        return self.stages.stage("spells", select([*columns, *self._cut()], spells, there))

    def _flipped(self, ends: Node, flips: Node) -> None:
        """Rows that flip bits."""
        self.sources.append((ends, {FLIPS: flips}))

    def _both_ends(
        self, spells: Node, carried: Sequence[str] = (), came: Node | None = None, gone: Node | None = None
    ) -> Node:
        """`contact, at` and what is carried: when spells come and when they are gone, alike.

        came, gone: whether that end of a row is wanted, where it may not be; `at` may then be NULL.
        """
        columns = [(name, b.column(name)) for name in ("contact", *carried)]
        at = [b.case([(wanted or b.TRUE(), b.column(end))]) for wanted, end in ((came, "came"), (gone, "gone"))]
        return self.stages.stage("ends", select([*columns, ("at", self.dialect.rows_of(at))], spells))

    def _spelled(self, spells: Node, changed: Mapping[str, Node]) -> None:
        """The deltas of spells: what they add when they come, and take away when they are gone."""
        for source, sign in self._coming_and_going(spells):
            cells = {name: amount.copy() if sign > 0 else exp.Neg(this=b.paren(amount.copy()))
                     for name, amount in changed.items()}  # fmt: skip
            self.sources.append((source, cells))

    def _coming_and_going(self, spells: Node) -> list[tuple[Node, int]]:
        """Spells as sources with `at`, first by when they come, then by when they are gone."""
        sources = []
        for end, sign in (("came", 1), ("gone", -1)):
            columns = [exp.Star(), b.aliased(b.column(end), "at")]
            query = exp.Select(expressions=columns).from_(spells.copy(), copy=False)
            sources.append((self.stages.stage("coming" if sign > 0 else "going", query), sign))
        return sources

    def _grouped(self, spells: Node, keys: Sequence[str], least: int, name: str) -> None:
        """The deltas of how many groups of spells, those that agree in the keys, are at least so large."""
        columns = [(key, b.column(key)) for key in ("contact", *keys, "at")]
        ends = [
            select([*columns, ("delta", b.number(sign))], source) for source, sign in self._coming_and_going(spells)
        ]
        size = summed_up("delta", ["contact", *keys], "at")
        sizes = [*columns, ("delta", b.column("delta")), ("size", size)]
        counted = select(sizes, self.stages.stage("ends", b.united(ends)))
        enough = b.case([(b.compare(">=", b.column("size"), b.number(least)), b.number(1))], b.number(0))
        before = exp.Sub(this=b.column("size"), expression=b.column("delta"))
        was = b.case([(b.compare(">=", before, b.number(least)), b.number(1))], b.number(0))
        step = exp.Sub(this=b.paren(enough), expression=b.paren(was))
        steps = select([("contact", b.column("contact")), ("at", b.column("at")), ("step", step)],
                       self.stages.stage("counted", counted))  # fmt: skip
        self.sources.append((self.stages.stage("groups_of", added_up(self.stages, steps)), {name: b.column("step")}))


def _apart(t: str, gone: str, came: str) -> Node:
    """That there is no neighbour, whose instant is a column, or that the earlier of the two is gone before the later
    one comes."""
    none = exp.Is(this=b.column(t), expression=b.NULL())
    return b.disjunction([none, b.compare("<", b.column(gone), b.column(came))])


def _about(value: nodes.Property, rule: nodes.Rule) -> nodes.Rule:
    """A rule about what an attribute with a history holds, as one about a value."""
    found = mapped(rule, lambda each: value if isinstance(each, nodes.Held) else each)
    assert isinstance(found, nodes.Rule)
    return found
