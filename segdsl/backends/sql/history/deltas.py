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

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select
from segdsl.backends.sql.history.edges import Edges, later
from segdsl.backends.sql.history.plan import Plan
from segdsl.backends.sql.history.spells import Spells, Value
from segdsl.backends.sql.history.timeline import Stages, added_up, beside, summed_up
from segdsl.backends.sql.measures import Passes, united_name
from segdsl.backends.sql.names import Names
from segdsl.backends.sql.rules import Rules
from segdsl.core import nodes
from segdsl.core.time import Span
from segdsl.core.walking import mapped

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
        self.spells = Spells(passes, edges, stages)
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
        for rule, measure in self.plan.outermost.items():
            self._outermost(rule, measure)
        for chain in self.plan.chains:
            self._spelled(self.spells.chains(chain), {self._name(chain, "chains"): b.number(1)})
        for measure, terms in self.plan.terms.items():
            rows = self.spells.happened(measure)
            for least, rule in terms.items():
                self._flipped(self.spells.turns(self.spells.stretches(rows, measure, least)), self._bit(rule))
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
        answers = select([("contact", b.column("id", self.rules.contact)), (FLIPS, reduce(b.added, flips))],
                         b.table(self.rules.contact))  # fmt: skip
        # A contact that is in the data twice is there all the same: its bits must not flip back.
        columns = [("contact", b.column("contact")), ("came", self.edges.begin()), ("gone", self.edges.never()),
                   (FLIPS, exp.BitwiseOrAgg(this=b.column(FLIPS)))]  # fmt: skip
        once = select(columns, self.stages.stage("answers", answers)).group_by(b.column("contact"), copy=False)
        contacts = self.stages.stage("contacts", once)
        self._flipped(self.spells.both_ends(contacts, [FLIPS]), b.column(FLIPS))

    def _date(self, rule: nodes.InSpan) -> None:
        """An attribute's instant lies in a window: from when its end gets there until its beginning does."""
        assert isinstance(rule.span, Span)
        value = self.rules.value(rule.value)
        contact = b.column("id", self.rules.contact)
        earliest = [("contact", contact), ("t", exp.Min(this=self.dialect.micros(value)))]  # of one that is there twice
        instants = select(earliest, b.table(self.rules.contact), [b.known(value.copy())])
        instants = instants.group_by(contact.copy(), copy=False)
        spells = self.spells.of_rows(self.stages.stage("dates", instants), [], rule.span, cut=False)
        self._flipped(self.spells.both_ends(spells), self._bit(rule))

    def _held(self, rule: nodes.Rule, node: nodes.Held) -> None:
        """A test of an attribute with a history: what a change says of it holds until the next one."""
        kind = nodes.changes_of(node.key)
        asked = _about(nodes.Property("to", node.type), node, rule)
        answer = b.case([(self.passes.inside(kind).rule(asked), b.number(1))], b.number(0))
        columns = [("contact", b.column("contact")), ("t", self.dialect.micros(b.column("t"))), ("answer", answer)]
        until = b.compare("<=", b.column("t"), self.dialect.instant(self.edges.until))
        changes = self.stages.stage("changes", select(columns, b.table(self.passes.kinds[kind]), [until]))
        following = self.spells.timeline.neighbour("t", ["t"], 1)
        columns = [(name, b.column(name)) for name in ("contact", "t", "answer")]
        told = select([*columns, ("following", following)], self.spells.timeline.sorted(changes, ["t"]))

        def reached(name: str) -> Node:
            return self.edges.reached(node.at, b.column(name))

        gone = b.case([(b.known(b.column("following")), reached("following"))], self.edges.never())
        holds = b.compare("=", b.column("answer"), b.number(1))
        holding = select([("contact", b.column("contact")), ("came", reached("t")), ("gone", gone)],
                         self.stages.stage("answers", told), [holds])  # fmt: skip
        spells = self.spells.in_time(self.stages.stage("holding", holding))
        self._flipped(self.spells.both_ends(spells), self._bit(rule))

    # --- values of events ---------------------------------------------------------------------------------------------

    def _outermost(self, rule: nodes.Rule, measure: nodes.Measure) -> None:
        """A test of the value of the first or last event holds while that event is the one."""
        of, old = measure.of, self.rules
        assert isinstance(of, nodes.Property)
        names = Names(old.names.contact, old.names.attributes, properties={of.key: united_name(of)})
        asked = Rules(names, old.program, self.dialect, old.reading, old.clock).rule(_about(of, measure, rule))
        columns = [(name, b.column(name)) for name in ("contact", "came", "gone")]
        holding = self.stages.stage("holding", select(columns, self.spells.outermost(measure), [asked]))
        self._flipped(self.spells.both_ends(holding), self._bit(rule))

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
            rows = self.spells.rows(events, values)
            spells = self.spells.of_rows(rows, [united_name(value) for value in dict.fromkeys(values)], events.span)
            changed = {}
            for measure in measures:
                column = None if measure.of is None else b.column(united_name(measure.of))
                amount: Node = b.number(1)
                if column is not None and measure.kind == "sum":
                    assert isinstance(measure.type, types.Number)
                    amount = b.coalesce(column, b.number(0))
                    if not measure.type.scale:  # the least of 64 bits has no opposite among them
                        amount = self.dialect.wide(amount, 0, 0)
                elif column is not None:
                    amount = b.case([(b.known(column), b.number(1))], b.number(0))
                changed[self._name(measure, measure.kind)] = amount
            self._spelled(spells, changed)

    def _distinct(self, measure: nodes.Measure) -> None:
        """How many values there are: one more when a value comes that is not there, one less when it is gone."""
        assert measure.of is not None
        rows = self.spells.rows(measure.events, [measure.of], apart=[measure.of])
        spells = self.spells.of_rows(rows, [united_name(measure.of)], measure.events.span, known=[measure.of])
        self._grouped(spells, [united_name(measure.of)], 1, self._name(measure, "distinct"))

    def _group(self, rule: nodes.Rule, measure: nodes.Measure, least: int) -> None:
        """Some group, or crowd, of events is large enough: how many such there are."""
        keys = [united_name(value) for value in measure.same]
        rows = self.spells.rows(measure.events, list(measure.same), apart=list(measure.same))
        name = self._name(rule, "groups")
        if measure.within is None:
            spells = self.spells.of_rows(rows, keys, measure.events.span, known=list(measure.same))
            self._grouped(spells, keys, least, name)
            return
        # From the last of a crowd on, until the first of them leaves.
        columns = [(key, b.column(key)) for key in ("contact", "t", *keys)]
        first = b.column("t") if least == 1 else beside(b.column("t"), ["contact", *keys], ["t"], 1 - least)
        behind = select([*columns, ("first_t", first)], rows, [b.known(b.column(key)) for key in keys])
        close = b.compare(">", later(b.column("first_t"), measure.within), b.column("t"))
        crowds = select([(name, b.column(name)) for name in ("contact", "t", "first_t")],
                        self.stages.stage("behind", behind), [b.known(b.column("first_t")), close])  # fmt: skip
        spells = self.spells.of_rows(self.stages.stage("crowds", crowds), [], measure.events.span, leaves="first_t")
        self._spelled(spells, {name: b.number(1)})

    # --- what spells flip and add -------------------------------------------------------------------------------------

    def _flipped(self, ends: Node, flips: Node) -> None:
        """Rows that flip bits."""
        self.sources.append((ends, {FLIPS: flips}))

    def _spelled(self, spells: Node, changed: Mapping[str, Node]) -> None:
        """The deltas of spells: what they add when they come, and take away when they are gone."""
        for source, sign in self.spells.coming_and_going(spells):
            cells = {name: amount.copy() if sign > 0 else exp.Neg(this=b.paren(amount.copy()))
                     for name, amount in changed.items()}  # fmt: skip
            self.sources.append((source, cells))

    def _grouped(self, spells: Node, keys: Sequence[str], least: int, name: str) -> None:
        """The deltas of how many groups of spells, those that agree in the keys, are at least so large."""
        columns = [(key, b.column(key)) for key in ("contact", *keys, "at")]
        ends = [
            select([*columns, ("delta", b.number(sign))], source)
            for source, sign in self.spells.coming_and_going(spells)
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


def _about(value: nodes.Property, asked: nodes.Held | nodes.Measure, rule: nodes.Rule) -> nodes.Rule:
    """A rule about what an attribute or an event has at an instant, as one about a value."""
    found = mapped(rule, lambda each: value if each == asked else each)
    assert isinstance(found, nodes.Rule)
    return found
